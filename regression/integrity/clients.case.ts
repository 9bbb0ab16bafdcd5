import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { until } from '@qs-telemetry/testing/until.ts'
import { Client } from 'pg'
import { embeddedDatabaseUrl } from '../../packages/qs/src/endpoints/embedded-database-url.ts'
import { buildClient } from '../clients/build-client.ts'
import { FOREIGN_CLIENTS } from '../clients/foreign-clients.ts'
import { ForeignPublisher, type PublisherOptions } from '../clients/foreign-publisher.ts'
import { embeddedEnv } from './embedded-stack.ts'
import { IngesterProcess } from './ingester.ts'
import { writeRow, writeSkipped } from './row.ts'
import { isShort } from './scale.ts'

const SIGNALS = ['SIGKILL', 'SIGTERM', 'SIGKILL', 'SIGTERM'] as const
const LIMIT_MS = 120_000
/** More events that each client must have confirmed before the next restart. */
const CALM_EVENTS = 20
const NOTHING = { deadLetters: null, outageSeconds: 0, recoverySeconds: null, peakMemoryMb: null }

if (isShort) writeSkipped('clients from the registries', 'builds them first: only in the long form')
else
  test('clients that nobody here wrote: what is confirmed to them is a row, and nothing is there twice', run)

async function run(t: TestContext): Promise<void> {
  const programs = await builtPrograms()
  const env = await embeddedEnv(t)
  const stack = IngesterProcess.embedded(t, env)
  t.after(() => stack.end())
  stack.start()
  await stack.ready()
  const port = Number(env.MQTT_PORT)
  const publishers = programs.map((program) => new ForeignPublisher({ ...program, port }))
  t.after(() => {
    for (const publisher of publishers) publisher.kill()
  })
  const url = embeddedDatabaseUrl(env.QS_DATA_DIR, Number(env.POSTGRES_PORT)) as string
  const withAnswers = publishers.filter(({ options }) => options.qos > 0)
  const missing = new Map<ForeignPublisher, Set<string>>(publishers.map((each) => [each, new Set()]))

  for (const signal of SIGNALS) {
    const before = new Map(withAnswers.map((each) => [each, each.confirmed.size]))
    const isCalm = () =>
      withAnswers.every((each) => each.confirmed.size >= (before.get(each) ?? 0) + CALM_EVENTS)
    await reached(isCalm, () => waitingFor(withAnswers, before))
    await stack.kill(signal)
    const confirmed = new Map(publishers.map((each) => [each, new Set(each.confirmed)]))
    stack.start()
    await stack.ready()
    const rows = await rowsOf(url)
    for (const [publisher, ids] of confirmed)
      for (const id of ids) if (!rows.has(id)) missing.get(publisher)?.add(id)
  }
  for (const publisher of publishers) publisher.finish()
  const isDone = () => publishers.every(({ sent }) => sent !== null)
  await reached(isDone, () =>
    publishers
      .filter(({ sent }) => sent === null)
      .map(describe)
      .join(', '),
  )
  await stack.idle()
  const rows = await rowsOf(url)
  for (const publisher of publishers) {
    const own = [...rows].filter(([id]) => id.startsWith(`${publisher.deviceId}-`))
    for (const id of publisher.confirmed) if (!rows.has(id)) missing.get(publisher)?.add(id)
    const lost = [...(missing.get(publisher) ?? [])]
    const doubled = own.filter(([, count]) => count > 1).length
    const isUnconfirmed = publisher.options.qos > 0 && publisher.confirmed.size !== publisher.sent
    writeRow({
      ...NOTHING,
      fault: `client: ${publisher.name}`,
      sent: publisher.sent ?? 0,
      acked: publisher.confirmed.size,
      stored: own.length,
      lost: lost.length,
      doubled,
      broken: isUnconfirmed ? 1 : 0,
      violations: [
        ...lost.map((id) => `${id} is confirmed and no row`),
        ...(isUnconfirmed ? ['not all confirmed'] : []),
      ],
    })
    assert.deepEqual([lost, doubled, isUnconfirmed], [[], 0, false], publisher.name)
  }
}

/** Every program at every protocol level and QoS that its client has; the table names those that cannot be built. */
async function builtPrograms(): Promise<readonly Omit<PublisherOptions, 'port'>[]> {
  const programs: Omit<PublisherOptions, 'port'>[] = []
  for (const client of FOREIGN_CLIENTS) {
    const built = await buildClient(client)
    if (built.kind === 'missing') {
      writeSkipped(`client: ${client.name} ${client.version}`, built.why)
      continue
    }
    const { directory } = built
    for (const level of client.levels)
      for (const qos of [0, 1, 2] as const) programs.push({ client, directory, level, qos })
  }
  return programs
}

async function reached(condition: () => boolean, lateOnes: () => string): Promise<void> {
  await until(condition, 'every client goes on', LIMIT_MS).catch((error: Error) => {
    throw new Error(`${error.message}: ${lateOnes()}`, { cause: error })
  })
}

function waitingFor(
  publishers: readonly ForeignPublisher[],
  before: ReadonlyMap<ForeignPublisher, number>,
): string {
  const late = publishers.filter((each) => each.confirmed.size < (before.get(each) ?? 0) + CALM_EVENTS)
  return late.map(describe).join(', ')
}

function describe(publisher: ForeignPublisher): string {
  return `${publisher.name} (${publisher.confirmed.size} confirmed${publisher.hasEnded ? ', ended' : ''}${publisher.errors === '' ? '' : `: ${publisher.errors}`})`
}

/** The number of rows of each event id. */
async function rowsOf(databaseUrl: string): Promise<ReadonlyMap<string, number>> {
  const database = new Client({ connectionString: databaseUrl })
  await database.connect()
  const { rows } = await database.query<{ event_id: string; count: number }>(
    'select event_id, count(*)::int as count from events group by event_id',
  )
  await database.end()
  return new Map(rows.map(({ event_id: id, count }) => [id, count]))
}
