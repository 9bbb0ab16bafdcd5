import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { startTestConsole } from '@qs-telemetry/testing/console.ts'
import { mosquittoMissing, startMosquitto } from '@qs-telemetry/testing/mosquitto.ts'
import { startPipeline } from '@qs-telemetry/testing/pipeline.ts'
import { type BoardSettings, CPP, type Kit, MICROPYTHON, newBoard } from './support/board.ts'
import { startFaultyProxy, startRefusingBroker } from './support/failing-brokers.ts'

/*
 * The device kits on this machine, with flash in a file, against the real brokers and the real pipeline: host/board.cpp and
 * micropython/kit.py record and send until nothing waits. Every number of the log is a row or lost, and none is a conflict.
 */

const upTo = (count: number) => [...Array(count).keys()]

for (const kit of [CPP, MICROPYTHON]) {
  test(`${kit.name} and qs up`, { skip: kit.skip }, (t) => withOwnBroker(t, kit))
}

async function withOwnBroker(t: TestContext, kit: Kit): Promise<void> {
  const { mqttPort: port, query } = await startTestConsole(t)

  await t.test('store what was recorded offline, in order, with the time of each event', async () => {
    const count = kit === CPP ? 10_000 : 1_000
    const board = await newBoard(t, kit, { query, port, sectors: 256 })
    const offline = await board.run({ count, port: 1, wait: 0 })
    assert.deepEqual([offline.kept, offline.waiting], [count, count])
    const result = await board.run({ count: 10 })
    assert.deepEqual(await board.judge(result), upTo(count + 10))
    const rows = await board.rows(`value_num as value, event_type = 'temp' and unit = 'C' as whole,
      ts = ts_device and ts_server - ts_device between '0' and '1 minute' as timed`)
    for (const { number, value, whole, timed } of rows) {
      const left = (Number(number) < count ? count - 1 : count + 9) - Number(number)
      assert.deepEqual([value, whole, timed], [21.5 + left, true, true])
    }
  })

  await t.test('lose and double no event when the board is killed at any moment', async () => {
    const board = await newBoard(t, kit, { query, port, speed: 20 })
    const kills = 12
    /** The value of each event that record() called kept. */
    const kept: number[] = []
    for (let round = 0; round < kills; round++) {
      const child = board.start({ every: 20, count: 100_000, say: 1 })
      const lines = createInterface({ input: child.stdout as Readable })
      lines.on('line', (line) =>
        kept.push(...(/^\{"value": ?([\d.]+)\}$/.exec(line)?.slice(1).map(Number) ?? [])),
      )
      await once(lines, 'line')
      setTimeout(() => child.kill('SIGKILL'), 20 + 17 * round)
      await once(child, 'close')
    }
    const result = await board.run({})
    const numbers = await board.judge(result)
    assert.ok(numbers.length > 50, `${numbers.length} events`)
    // Only the event that was being written, which record() had not called kept.
    assert.ok(result.lost <= kills, `${result.lost} lost`)
    const stored = (await board.rows('value_num as value')).map(({ value }) => Number(value))
    for (const value of kept) {
      const place = stored.indexOf(value)
      assert.ok(place >= 0, `${value} was called kept and is no row`)
      stored.splice(place, 1)
    }
  })

  for (const refuse of [0, 1]) {
    await t.test(`count what a full ring ${refuse ? 'refuses' : 'drops'}, and store the count`, async () => {
      const board = await newBoard(t, kit, { query, port, refuse, sectors: 4, speed: 20 })
      // All of them before the first attempt to connect.
      const result = await board.run({ count: 500, wait: 2 })
      assert.ok(result.lost > 200, `${result.lost} lost`)
      assert.equal(result.kept, refuse ? 500 - result.lost : 500)
      await board.judge(result)
      const again = await board.run({ count: 1 })
      await board.judge(again)
      const reports = (await board.rows('event_type, value_num')).filter(
        (row) => row.event_type === 'events_lost',
      )
      assert.deepEqual(
        reports.map((row) => row.value_num),
        [result.lost],
      )
    })
  }

  // A PUBACK is no answer to device/micropython.
  for (const puback of kit === CPP ? [0, 1] : [0]) {
    await t.test(
      `lose and double no event on bad links, settled by ${puback ? 'PUBACK' : 'device ack'}`,
      async () => {
        await throughFaults(t, kit, { query, port, puback })
      },
    )
  }

  await t.test(
    'know the age of an event without a clock, and write down a time that becomes known',
    async () => {
      const never = 1_000_000_000
      const board = await newBoard(t, kit, { query, port })
      // Of a start that never knew the time, and after which nobody can. Then one that learns it.
      await board.run({ count: 3, clock: never, port: 1, wait: 0 })
      const startedAt = Date.now()
      await board.run({ count: 3, clock: 300, port: 1, seconds: 1 })
      await board.run({ count: 3, clock: never, port: 1, wait: 0 })
      const result = await board.run({ count: 3, clock: never })
      assert.deepEqual(await board.judge(result), upTo(12))
      const rows = await board.rows('ts_device is not null as timed, extract(epoch from ts)::float8 as ts')
      for (const { number, timed, ts } of rows) {
        const isTimed = Number(number) >= 3 && Number(number) < 6
        assert.equal(timed, isTimed, `event ${number}`)
        if (isTimed) assert.ok(Math.abs(Number(ts) * 1_000 - startedAt) < 900, `event ${number}: ${ts}`)
      }
    },
  )

  await t.test('report and forget an event that can never be stored', async () => {
    const board = await newBoard(t, kit, { query, port })
    await board.run({ count: 2, port: 1, wait: 0 })
    await board.run({ count: 1, port: 1, wait: 0, meta: '{"broken":NaN}' })
    const { waiting, lost, lines } = await board.run({ count: 2 })
    assert.deepEqual(
      (await board.rows('1')).map(({ number }) => number),
      [0, 1, 3, 4],
    )
    const [refused] = lines as [Record<string, unknown>]
    assert.match(String(refused.rejected), /-0000000002$/)
    assert.deepEqual([refused.code, refused.hasMessage], ['INVALID_JSON', true])
    assert.deepEqual([waiting, lost], [0, 0])
  })
}

test('device/esp32 over the connection of another library loses and doubles no event', {
  skip: CPP.skip,
}, async (t) => {
  const { mqttPort: port, query } = await startTestConsole(t)
  for (const bridge of ['256dpi', 'espMqttClient', 'esp-mqtt']) {
    const board = await newBoard(t, CPP, { query, port, speed: 20, seconds: 1_000, bridge })
    // Recorded at once, so that a message is full, and its device ack does not fit the bridge.
    const result = await board.run({ count: 20 })
    assert.deepEqual(await board.judge(result), upTo(20), bridge)
  }
  await throughFaults(t, CPP, { query, port, bridge: 'esp-mqtt' })
})

test('device/esp32 stores a batch of RTC memory with the time of each sample, and no batch that is spoilt', {
  skip: CPP.skip,
}, async (t) => {
  const { mqttPort: port, query } = await startTestConsole(t)
  const board = await newBoard(t, CPP, { query, port })
  await board.run({ batch: 8, spoilt: 1, port: 1, wait: 0 })
  const result = await board.run({ batch: 8 })
  assert.deepEqual(await board.judge(result), upTo(8))
  const rows = await board.rows(
    'value_num as value, round(extract(epoch from ts_server - ts_device) / 60)::int as age',
  )
  assert.deepEqual(
    rows.map(({ value, age }) => [value, age]),
    [7, 6, 5, 4, 3, 2, 1, 0].map((age) => [100 + age, age]),
  )
})

test('device/esp32 and Mosquitto lose and double no event on bad links', {
  skip: CPP.skip || mosquittoMissing,
}, async (t) => {
  const { port } = await startMosquitto(t)
  const { query } = await startPipeline(t, `mqtt://127.0.0.1:${port}`)
  await throughFaults(t, CPP, { query, port })
})

async function throughFaults(t: TestContext, kit: Kit, settings: BoardSettings): Promise<void> {
  const proxy = await startFaultyProxy(t, Number(settings.port))
  const board = await newBoard(t, kit, { speed: 20, ...settings, port: proxy.port })
  const result = await board.run({ count: 400, every: 20 })
  await board.judge(result)
  assert.deepEqual([result.kept, result.lost], [400, 0])
  assert.ok(proxy.faults() >= 6, `${proxy.faults()} faults`)
}

for (const kit of [CPP, MICROPYTHON]) {
  for (const code of ['INVALID_JSON', 'TOO_MANY_EVENTS']) {
    test(`${kit.name} loses no good event by a refusal with ${code} of what holds a bad one`, {
      skip: kit.skip,
    }, async (t) => {
      const server = await startRefusingBroker(t, code)
      const board = await newBoard(t, kit, { query: async () => [], port: 1, speed: 20, wait: 0 })
      await board.run({ count: 2 })
      await board.run({ count: 1, meta: '{"bad":true}' })
      await board.run({ count: 2 })
      const { waiting, lines } = await board.run({ port: server.port, wait: 1 })
      assert.equal(waiting, 0)
      assert.deepEqual(server.stored(), code === 'INVALID_JSON' ? [0, 1, 3, 4] : [0, 1, 2, 3, 4])
      const refused = lines.slice(0, -1) as readonly { readonly rejected: string }[]
      assert.deepEqual(
        refused.map(({ rejected }) => Number(rejected.slice(-10))),
        code === 'INVALID_JSON' ? [2] : [],
      )
    })
  }
}
