import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestConsole } from '@qs-telemetry/testing/console.ts'
import { mosquittoMissing, startMosquitto } from '@qs-telemetry/testing/mosquitto.ts'
import { listen, startPipeline } from '@qs-telemetry/testing/pipeline.ts'

const event = (id: string, members: string) =>
  `{"schema":1,"event_id":"dev-1-${id}","device_id":"dev-1","event_type":"count",${members}}`

/** The first is stored; then the outcomes of the others under the same id. */
const CASES: readonly (readonly [
  first: string,
  ...others: (readonly [string, 'duplicate' | 'rejected'])[],
])[] = [
  [
    '"value":9007199254740993',
    ['"value":9007199254740992', 'rejected'],
    ['"value":9007199254740993', 'duplicate'],
    ['"value":9007199254740993.0', 'duplicate'],
    ['"value":9007199254740994', 'rejected'],
  ],
  [
    '"value":9007199254740992',
    ['"value":9007199254740993', 'rejected'],
    ['"value":9.007199254740992e15', 'duplicate'],
  ],
  ['"value":1.0', ['"value":1.00', 'duplicate'], ['"value":1e0', 'duplicate'], ['"value":1', 'duplicate']],
  [
    '"value":1.00000000000000000001',
    ['"value":1', 'rejected'],
    ['"value":1.000000000000000000010', 'duplicate'],
  ],
  [
    '"meta":{"n":9007199254740993,"m":1.0}',
    ['"meta":{"m":1.00,"n":9007199254740993}', 'duplicate'],
    ['"meta":{"n":9007199254740992,"m":1.0}', 'rejected'],
    ['"meta":{"n":9007199254740993.0,"m":1e0}', 'duplicate'],
  ],
  [
    '"extra":[12345678901234567890.5]',
    ['"extra":[12345678901234567890.5]', 'duplicate'],
    ['"extra":[12345678901234567890.6]', 'rejected'],
  ],
]

type Query = (sql: string) => Promise<readonly Record<string, unknown>[]>

async function prove(url: string, t: Parameters<typeof listen>[0], query: Query): Promise<void> {
  const { client, next } = await listen(t, url)
  const say = async (payload: string) => {
    await client.publishAsync('qs/v1/dev-1/events', payload, { qos: 1 })
    return (await next('qs/v1/dev-1/acks')) as { status: string } | { status: string }[]
  }
  for (const [n, [first, ...others]] of CASES.entries()) {
    for (const [members, status] of [[first, 'stored'], ...others] as const)
      assert.deepEqual(
        [((await say(event(`one-${n}`, members))) as { status: string }).status, members],
        [status, members],
      )
    // The same in one array: the second event with an id is compared with the first one of the batch.
    const acks = await say(
      `[${[first, ...others.map(([members]) => members)].map((m) => event(`all-${n}`, m)).join(',')}]`,
    )
    assert.deepEqual(
      (acks as { status: string }[]).map(({ status }) => status),
      ['stored', ...others.map(([, status]) => status)],
      first,
    )
  }
  assert.deepEqual(
    await query(
      `select value_num, value_exact from events where event_id like 'dev-1-one-%' order by event_id`,
    ),
    [
      { value_num: 9007199254740992, value_exact: '9007199254740993' },
      { value_num: 9007199254740992, value_exact: null },
      { value_num: 1, value_exact: null },
      { value_num: 1, value_exact: '1.00000000000000000001' },
      { value_num: null, value_exact: null },
      { value_num: null, value_exact: null },
    ],
  )
}

test('the digits as sent tell a duplicate from a conflict, through Mosquitto', {
  skip: mosquittoMissing,
}, async (t) => {
  const broker = await startMosquitto(t)
  const { query } = await startPipeline(t, broker.url)
  await prove(broker.url, t, query as Query)
})

test('the digits as sent tell a duplicate from a conflict, through the embedded broker', async (t) => {
  const { mqttPort, query } = await startTestConsole(t)
  await prove(`mqtt://127.0.0.1:${mqttPort}`, t, query)
})
