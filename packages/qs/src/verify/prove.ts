import { randomUUID } from 'node:crypto'
import type { NetConnectOpts } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { BrokerOptions } from '@qs-telemetry/device'
import { brokerPlace } from '@qs-telemetry/protocol'
import { askClient } from '../database/ask-client.ts'
import type { DatabaseClient } from '../database/open-client.ts'
import { removeDevices } from '../devices/remove-devices.ts'
import { QsError } from '../errors/qs-error.ts'
import { AckWitness } from './ack-witness.ts'
import { FaultProxy } from './fault-proxy.ts'
import { PROOF_FAULTS, type ProofFault } from './faults.ts'
import { OwnIngester } from './own-ingester.ts'
import { ProofDevices } from './proof-devices.ts'
import { TrustingDevice } from './trusting-device.ts'
import {
  compareWithDatabase,
  type PubackVerification,
  type SentEvent,
  type Verification,
} from './verification.ts'

export interface ProofOptions {
  /** For the devices, which connect directly; null: the ingester has a broker of its own, as that of qs up has. */
  readonly broker: BrokerOptions | null
  /** Also a direct connection; the ingester connects to the same database through a proxy. */
  readonly database: DatabaseClient
  /** If no device ack comes within this time after a fault, the proof has failed. */
  readonly timeoutMs: number
  readonly faults?: readonly ProofFault[]
  readonly onFault?: (done: number, total: number) => void
}

/** The result of one fault. */
export interface ProofRow {
  readonly fault: string
  readonly sent: number
  readonly acked: number
  /** From the end of the fault to the next device ack; null if none came in time. */
  readonly flowsAfterSeconds: number | null
}

export interface Proof extends Verification {
  /** Client id of the ingester, and prefix of everything it leaves behind. */
  readonly run: string
  readonly faults: readonly ProofRow[]
  /** Acked before the row was committed. */
  readonly early: readonly string[]
  /** Rows in excess of the events sent. */
  readonly doubled: number
  /** With a broker of its own: what its PUBACK says is committed. */
  readonly puback: PubackVerification | null
}

const DEVICES = 4
/** Events acked between two faults. */
const CALM_EVENTS = 100
/** A device notices a dead connection to its own broker after twice this time at most. */
const KEEP_ALIVE_SECONDS = 1
/** Of the device that trusts the PUBACK. */
const TRUSTING_PAUSE_MS = 10

/**
 * Proves the promise under faults, on the existing broker and database: it runs its own devices and its own ingester,
 * whose connections to both go through a fault proxy. Topics, client id and device ids are separate, so nothing else is
 * affected.
 *
 * With qs up, the broker is part of what is proved and must be killed with the ingester: the run has one of its own,
 * with the faults between it and the devices, one of which trusts the PUBACK.
 *
 * @throws Error if the set-up does not work even without faults
 */
export async function prove(options: ProofOptions): Promise<Proof> {
  const { broker, database, timeoutMs, faults = PROOF_FAULTS, onFault = () => {} } = options
  // With a hyphen, EVENT_ID_RULE=device would let the device qs-verify use the ids of these.
  const run = `qs-verify.${randomUUID().slice(0, 8)}`
  const topics = {
    eventsTopic: `qs-verify/${run}/+/events`,
    ackTemplate: `qs-verify/${run}/{device_id}/acks`,
  }
  const login = broker === null ? { username: run, password: randomUUID() } : null
  const brokerLink = await FaultProxy.start(
    broker === null ? placeOfOwn(() => ingester.port) : brokerPlace(broker.url),
  )
  const databaseLink = await FaultProxy.start(databasePlace(database))
  const ingester = new OwnIngester({
    settings: {
      MQTT_CLIENT_ID: run,
      MQTT_EVENTS_TOPIC: topics.eventsTopic,
      ACK_TEMPLATE: topics.ackTemplate,
      MQTT_DEADLETTER_TOPIC: `qs-verify/${run}/deadletter`,
      // The broker removes the session even if this process is killed.
      MQTT_SESSION_EXPIRY: '5m',
      MQTT_KEEP_ALIVE: '1s',
      DATABASE_TIMEOUT: '2s',
      LOG_LEVEL: 'error',
    },
    detours: { broker: brokerLink.port, database: databaseLink.port },
    login,
  })
  const own = {
    url: `mqtt://127.0.0.1:${brokerLink.port}`,
    ...login,
    mqtt: { keepalive: KEEP_ALIVE_SECONDS },
  }
  const witness = new AckWitness(database)
  const deviceIds = Array.from({ length: DEVICES }, (_, n) => `${run}-${n + 1}`)
  const devices = new ProofDevices({
    ...(broker ?? own),
    ...topics,
    deviceIds,
    onAck: (deviceAck) => witness.heard(deviceAck),
  })
  const pubackWitness = new AckWitness(database)
  const trusting = new TrustingDevice({
    broker: own,
    ...{ deviceId: `${run}-puback`, run: `${run}-puback`, eventsTopic: topics.eventsTopic },
    onAnswer: (answer) => pubackWitness.heard(answer),
  })
  const answers = broker === null ? 'toClient' : 'toServer'
  let timer: NodeJS.Timeout | undefined
  try {
    // Its broker must be there before the devices.
    if (broker === null) await ingester.start()
    await devices.open()
    if (broker !== null) await ingester.start()
    devices.start()
    if (broker === null) {
      trusting.open()
      timer = setInterval(() => trusting.send(), TRUSTING_PAUSE_MS)
    }
    await reached(() => devices.acked > 0 || devices.refusal !== null, timeoutMs)
    if (devices.acked === 0)
      throw devices.refusal ?? new QsError('NO_DEVICE_ACK', 'No device ack came, even before the first fault')
    const rows: ProofRow[] = []
    for (const fault of faults) {
      onFault(rows.length, faults.length)
      rows.push(
        await suffer(fault, devices, timeoutMs, () =>
          fault.inflict({ brokerLink, databaseLink, ingester, answers }),
        ),
      )
      if (rows.at(-1)?.flowsAfterSeconds === null) break
    }
    clearInterval(timer)
    const finished = Promise.all([devices.finish(), trusting.finish()])
    await Promise.race([finished, delay(timeoutMs, undefined, { ref: false })])
    await ingester.stop()
    await witness.settled()
    const puback = broker === null ? await verifyPubacks(database, trusting.sent, pubackWitness) : null
    return await verdict(database, {
      ...{ run, rows, witness, puback },
      deviceIds: [...deviceIds, trusting.deviceId],
      sent: devices.sent,
    })
  } finally {
    clearInterval(timer)
    trusting.close()
    await devices.close()
    await ingester.kill()
    for (const link of [brokerLink, databaseLink]) await link.close()
  }
}

/**
 * Removes all rows of a run: those of its devices and of its ingester.
 *
 * @throws the error of the database: the role may lack the right
 */
export async function removeRun(database: DatabaseClient, run: string): Promise<void> {
  await removeDevices(askClient(database), run)
  await database.query('delete from ingest_stats where starts_with(writer, $1)', [run])
}

async function suffer(
  { name }: ProofFault,
  devices: ProofDevices,
  timeoutMs: number,
  inflict: () => Promise<void> | void,
): Promise<ProofRow> {
  const [sent, acked] = [devices.sent.length, devices.acked]
  await reached(() => devices.acked >= acked + CALM_EVENTS, timeoutMs)
  await inflict()
  const [ackedThen, overMs] = [devices.acked, performance.now()]
  const isFlowing = await reached(() => devices.acked > ackedThen, timeoutMs)
  return {
    fault: name,
    sent: devices.sent.length - sent,
    acked: devices.acked - acked,
    flowsAfterSeconds: isFlowing ? (performance.now() - overMs) / 1000 : null,
  }
}

async function reached(condition: () => boolean, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs
  while (!condition() && performance.now() < deadline) await delay(10)
  return condition()
}

async function verdict(
  database: DatabaseClient,
  {
    run,
    deviceIds,
    rows,
    witness,
    puback,
    sent,
  }: {
    readonly run: string
    readonly deviceIds: readonly string[]
    readonly rows: readonly ProofRow[]
    readonly witness: AckWitness
    readonly puback: PubackVerification | null
    readonly sent: readonly SentEvent[]
  },
): Promise<Proof> {
  const verification = await compareWithDatabase(database, sent, witness.answers)
  const { rows: counts } = await database.query<{ there: number }>(
    'select count(*)::int as there from events where device_id = any($1)',
    [deviceIds],
  )
  const doubled = (counts[0]?.there ?? 0) - verification.stored - (puback?.stored ?? 0)
  const { early } = witness
  const ok = verification.ok && early.length === 0 && doubled === 0 && (puback?.ok ?? true)
  return { ...verification, ok, run, faults: rows, early, doubled, puback }
}

/** Compares the events of a device that trusts the PUBACK with the database. */
export async function verifyPubacks(
  database: DatabaseClient,
  sent: readonly SentEvent[],
  witness: AckWitness,
): Promise<PubackVerification> {
  await witness.settled()
  const verification = await compareWithDatabase(database, sent, witness.answers)
  const { early } = witness
  return { ...verification, early, ok: verification.ok && early.length === 0 }
}

/** Where its own broker listens at the moment. */
function placeOfOwn(port: () => number | null): NetConnectOpts {
  return {
    host: '127.0.0.1',
    get port() {
      return port() ?? 0
    },
  }
}

function databasePlace({ host, port }: DatabaseClient): NetConnectOpts {
  return host.startsWith('/') ? { path: `${host}/.s.PGSQL.${port}` } : { host, port }
}
