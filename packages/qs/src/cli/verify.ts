import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { DeviceClient } from '@qs-telemetry/device'
import type { DeviceAck } from '@qs-telemetry/protocol'
import { type Command, Option } from 'commander'
import pc from 'picocolors'
import { integer } from '../config/kinds.ts'
import { loadConfig } from '../config/load.ts'
import type { Config } from '../config/settings.ts'
import { type DatabaseClient, withClient } from '../database/open-client.ts'
import { answeringNode } from '../doctor/answering-node.ts'
import { pubackIsCommit } from '../doctor/puback-is-commit.ts'
import { brokerError } from '../endpoints/broker-error.ts'
import { brokerAccess, brokerOptions, topicOptions } from '../endpoints/broker-options.ts'
import { findDatabaseUrl, findMqttUrl } from '../endpoints/endpoints.ts'
import { AckWitness } from '../verify/ack-witness.ts'
import { verifyPubacks } from '../verify/prove.ts'
import { TrustingDevice } from '../verify/trusting-device.ts'
import {
  compareWithDatabase,
  type PubackVerification,
  type SentEvent,
  type Verification,
} from '../verify/verification.ts'
import { parseWith } from './parse-option.ts'
import { progress } from './progress.ts'
import { removeRows } from './remove-rows.ts'
import { printFaults, verifyFaults } from './verify-faults.ts'

const DEVICE_ID = 'qs-verify'
/** At most, of a device that trusts the PUBACK. */
const TRUSTING_EVENTS = 10_000

interface Result extends Verification {
  /** null: the broker does not say that its PUBACK means committed. */
  readonly puback: PubackVerification | null
}

interface Options {
  readonly events: number
  readonly faults?: true
  readonly timeout: number
  readonly keep?: true
  readonly json?: true
}

export function registerVerify(program: Command): void {
  program
    .command('verify')
    .description('send tagged events, wait for their device acks, compare with the database')
    .option('--events <n>', 'number of events', parseWith(integer(1, 10_000_000)), 1000)
    .addOption(
      new Option(
        '--faults',
        'verify while connections break and an ingester is killed; half a minute',
      ).conflicts('events'),
    )
    .option('--timeout <seconds>', 'how long to wait for the device acks', parseWith(integer(1, 86_400)), 60)
    .option('--keep', 'leave the rows in the database')
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      `
Sends as the device qs-verify and removes its events at the end, if the role in DATABASE_URL may delete them. The device
stays in the list and is never reported as silent. With qs up, whose PUBACK means committed, as many events more (at most
${TRUSTING_EVENTS}) are sent by a device that knows no device ack; each must be a row when its PUBACK comes.
Exits with 1 and prints the ids if an event is acked but missing, changed, rejected or without a device ack.

With --faults, it runs its own ingester and devices on its own topics (qs-verify/…). While the devices send, the
ingester's connections to your broker and database are reset, slowed down and silently cut, and the ingester is killed.
Your own ingester and its data are not touched. With qs up, its ingester has a broker of its own, of the same kind, and one
device trusts the PUBACK. Needs a broker user that may use these topics, such as the operator.

Example
  qs verify --faults`,
    )
    .action(async (options: Options) => {
      const config = loadConfig()
      const result = await withClient(findDatabaseUrl(config), async (database) => {
        if (!options.faults) return await verify(config, database, options)
        const proof = await verifyFaults(config, database, options)
        if (!options.json) printFaults(proof)
        return proof
      })
      print(result, options.json ?? false)
      if (!result.ok) process.exitCode = 1
    })
}

/** The device row stays, since the ingester may write it up to ten seconds later; it is never reported as silent. */
const MARK = `insert into devices (device_id, label, silent_after_set) values ($1, 'qs verify', 'infinity') on conflict (device_id)`

async function verify(config: Config, database: DatabaseClient, options: Options): Promise<Result> {
  const isDirect = pubackIsCommit((await answeringNode(brokerAccess(config))).connack)
  await database.query(`${MARK} do nothing`, [DEVICE_ID])
  const { sent, deviceAcks } = await sendEvents(config, options)
  const result = await compareWithDatabase(database, sent, deviceAcks)
  const trusting = isDirect ? await trustPubacks(config, database, options) : { sent: [], puback: null }
  if (!options.keep) await removeRows(DEVICE_ID, () => remove(database, [...sent, ...trusting.sent]))
  const { puback } = trusting
  return { ...result, ok: result.ok && (puback?.ok ?? true), puback }
}

/** The same with a device that knows no device ack and forgets an event at its PUBACK. */
async function trustPubacks(config: Config, database: DatabaseClient, { events, timeout }: Options) {
  const witness = new AckWitness(database)
  const device = new TrustingDevice({
    broker: brokerOptions(config),
    deviceId: DEVICE_ID,
    run: `${DEVICE_ID}-${randomUUID()}`,
    eventsTopic: topicOptions(config).eventsTopic,
    onAnswer: (answer) => witness.heard(answer),
  })
  device.open()
  for (let n = Math.min(events, TRUSTING_EVENTS); n > 0; n--) device.send()
  await Promise.race([device.finish(), delay(timeout * 1000, undefined, { ref: false })])
  device.close()
  return { sent: device.sent, puback: await verifyPubacks(database, device.sent, witness) }
}

async function remove(database: DatabaseClient, sent: readonly SentEvent[]): Promise<void> {
  const ids = sent.map(({ eventId }) => eventId)
  await database.query('delete from events where event_id = any($1)', [ids])
  await database.query('select recount_series(array[$1])', [DEVICE_ID])
  await database.query(
    `${MARK} do update set silent_after_set = coalesce(devices.silent_after_set, 'infinity')`,
    [DEVICE_ID],
  )
}

async function sendEvents(config: Config, { events, timeout }: Options) {
  const client = new DeviceClient({ ...brokerOptions(config), ...topicOptions(config), deviceId: DEVICE_ID })
  const bar = progress('device acks')
  client.open()
  await client.connected({ timeoutMs: Math.min(timeout * 1000, 10_000) }).catch((error: Error) => {
    throw brokerError(findMqttUrl(config), error)
  })
  const sent: SentEvent[] = []
  const deviceAcks: DeviceAck[] = []
  const timer = setInterval(() => bar.update(deviceAcks.length, events), 100)
  const run = `${DEVICE_ID}-${randomUUID()}`
  const sendAll = async () => {
    for (let seq = 0; seq < events; seq++) {
      const event = {
        event_id: `${run}-${String(seq).padStart(9, '0')}`,
        event_type: 'verify',
        value: seq / 8,
        meta: { seq },
      }
      await client.ready()
      sent.push({ eventId: event.event_id, value: event.value, seq })
      client.send(event).then(
        (deviceAck) => deviceAcks.push(deviceAck),
        () => {},
      )
    }
    await client.flush()
  }
  const late = new Promise<void>((resolve) => setTimeout(resolve, timeout * 1000).unref())
  await Promise.race([sendAll(), late])
  clearInterval(timer)
  bar.stop()
  await client.close({ timeoutMs: 0 })
  return { sent, deviceAcks }
}

function print(result: Result, json: boolean): void {
  if (json) return console.log(JSON.stringify(result))
  const { sent, acked, stored, puback, ok } = result
  console.log(`${sent} events sent, ${acked} acked, ${stored} found in the database`)
  printLists({ 'acked but missing': result.missing, 'without device ack': result.unacked }, result)
  if (puback !== null) {
    console.log(
      `${puback.sent} more by a device that trusts the PUBACK, ${puback.acked} with PUBACK, ${puback.stored} found in the database`,
    )
    const { missing, unacked, early } = puback
    printLists(
      { 'with PUBACK but missing': missing, 'without PUBACK': unacked, 'with PUBACK before COMMIT': early },
      puback,
    )
  }
  const proved =
    puback === null
      ? 'Every acked event is a committed event.'
      : 'Every acked event and every event with a PUBACK is a committed event.'
  console.log(ok ? pc.green(proved) : pc.red('Verification failed.'))
}

function printLists(
  own: Readonly<Record<string, readonly string[]>>,
  { changed, rejected }: Verification,
): void {
  const lists = { ...own, changed, rejected }
  for (const [what, ids] of Object.entries(lists)) {
    if (ids.length > 0)
      console.log(
        pc.red(`${ids.length} ${what}: ${ids.slice(0, 5).join(', ')}${ids.length > 5 ? ', …' : ''}`),
      )
  }
}
