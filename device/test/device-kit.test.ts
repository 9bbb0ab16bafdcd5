import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { createServer, connect as openSocket, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { before, type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startTestConsole } from '@qs-telemetry/testing/console.ts'
import { missing } from '@qs-telemetry/testing/missing.ts'
import { mosquittoMissing, startMosquitto } from '@qs-telemetry/testing/mosquitto.ts'
import { startPipeline } from '@qs-telemetry/testing/pipeline.ts'
import { generate, type Packet, parser } from 'mqtt-packet'
import { compile, KIT, link, temporary } from './support/compile.ts'

/*
 * The device kit, compiled for this machine with flash in a file, against the real brokers and the real pipeline:
 * host/board.cpp records and sends until nothing waits. Every number of its log is a row or lost, and none is a
 * conflict.
 */

const BOARD = fileURLToPath(new URL('host/board.cpp', import.meta.url))
const skip = missing('g++', '--version')

let directory = ''
let program = ''

before(async () => {
  if (skip) return
  directory = temporary()
  const sources = readdirSync(KIT).filter((name) => name.endsWith('.cpp'))
  const objects = await Promise.all(
    [...sources.map((name) => join(KIT, name)), BOARD].map((source, index) =>
      compile(source, join(directory, `${index}.o`)),
    ),
  )
  program = await link(objects, join(directory, 'board'))
})

type Query = (sql: string) => Promise<readonly Record<string, unknown>[]>
type Options = Readonly<Record<string, string | number>>

interface Result {
  readonly kept: number
  readonly waiting: number
  readonly lost: number
  readonly erases: number
  readonly problem: string
}

let boards = 0

/** A board with a name and a flash of its own, which keeps it from one start to the next. */
function newBoard(t: TestContext, query: Query, settings: Options) {
  const device = `board-${++boards}`
  const flash = join(directory, device)
  const start = (more: Options) => {
    const options = Object.entries({ device, flash, ...settings, ...more })
    const child = spawn(
      program,
      options.map((option) => option.join('=')),
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    t.after(() => child.kill('SIGKILL'))
    return child
  }
  return {
    start,
    run: async (more: Options) => {
      const lines = await outputOf(start(more))
      return { ...(lines.at(-1) as Result), lines }
    },
    rows: (columns: string) =>
      query(
        `select right(event_id, 10)::int as number, ${columns} from events where device_id = '${device}' order by 1`,
      ),
    /** Each number is a row or lost, and nothing was refused. */
    judge: async ({ waiting, lost }: Result) => {
      const rows = await query(`select right(event_id, 10)::int as number, left(event_id, -10) as epoch
        from events where device_id = '${device}' order by 1`)
      const numbers = rows.map(({ number }) => Number(number))
      assert.equal(waiting, 0)
      assert.equal(new Set(rows.map(({ epoch }) => epoch)).size, 1)
      assert.equal((numbers.at(-1) ?? -1) + 1 - numbers.length, lost)
      const letters = await query(`select code, error from dead_letters where device_id = '${device}'`)
      assert.deepEqual(letters, [])
      return numbers
    },
  }
}

async function outputOf(child: ChildProcess): Promise<readonly unknown[]> {
  const chunks: Buffer[] = []
  child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk))
  await once(child, 'close')
  const lines = Buffer.concat(chunks).toString().split('\n')
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line))
}

const upTo = (count: number) => [...Array(count).keys()]

test('the device kit and qs up', { skip }, async (t) => {
  const { mqttPort: port, query } = await startTestConsole(t)

  await t.test('store what was recorded offline, in order, with the time of each event', async () => {
    const board = newBoard(t, query, { port })
    const offline = await board.run({ count: 1_000, port: 1, wait: 0 })
    assert.deepEqual([offline.kept, offline.waiting], [1_000, 1_000])
    const result = await board.run({ count: 10 })
    assert.deepEqual(await board.judge(result), upTo(1_010))
    const rows = await board.rows(`value_num as value, event_type = 'temp' and unit = 'C' as whole,
      ts = ts_device and ts_server - ts_device between '0' and '1 minute' as timed`)
    for (const { number, value, whole, timed } of rows) {
      const left = Number(number) < 1_000 ? 999 - Number(number) : 1_009 - Number(number)
      assert.deepEqual([value, whole, timed], [21.5 + left, true, true])
    }
  })

  await t.test('lose and double no event when the board is killed at any moment', async () => {
    const board = newBoard(t, query, { port, speed: 20 })
    for (let round = 0; round < 12; round++) {
      const child = board.start({ every: 20, count: 100_000 })
      setTimeout(() => child.kill('SIGKILL'), 20 + 17 * round)
      await once(child, 'close')
    }
    const result = await board.run({})
    const numbers = await board.judge(result)
    assert.ok(numbers.length > 50, `${numbers.length} events`)
    assert.equal(result.lost, 0)
  })

  for (const refuse of [0, 1]) {
    await t.test(`count what a full ring ${refuse ? 'refuses' : 'drops'}, and store the count`, async () => {
      const board = newBoard(t, query, { port, refuse, sectors: 4, speed: 20 })
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

  for (const puback of [0, 1]) {
    await t.test(
      `lose and double no event on bad links, settled by ${puback ? 'PUBACK' : 'device ack'}`,
      async () => {
        await throughFaults(t, port, query, { puback })
      },
    )
  }

  await t.test(
    'know the age of an event without a clock, and write down a time that becomes known',
    async () => {
      const never = 1_000_000_000
      const board = newBoard(t, query, { port })
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
    const board = newBoard(t, query, { port })
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
})

test('the device kit and Mosquitto lose and double no event on bad links', {
  skip: skip || mosquittoMissing,
}, async (t) => {
  const { port } = await startMosquitto(t)
  const { query } = await startPipeline(t, `mqtt://127.0.0.1:${port}`)
  await throughFaults(t, port, query, {})
})

async function throughFaults(t: TestContext, port: number, query: Query, options: Options): Promise<void> {
  const proxy = await startFaultyProxy(t, port)
  const board = newBoard(t, query, { port: proxy.port, speed: 20, ...options })
  const result = await board.run({ count: 400, every: 20 })
  await board.judge(result)
  assert.deepEqual([result.kept, result.lost], [400, 0])
  assert.ok(proxy.faults() >= 6, `${proxy.faults()} faults`)
}

for (const [what, code] of [
  ['that names no event', 'INVALID_JSON'],
  ['of the message, not of an event', 'TOO_MANY_EVENTS'],
] as const) {
  test(`a refusal ${what} costs no good event: they are sent one by one`, { skip }, async (t) => {
    const server = await startRefusingBroker(t, code)
    const board = newBoard(t, async () => [], { port: 1, speed: 20, wait: 0 })
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

interface SentEvent {
  readonly event_id: string
  readonly meta?: { readonly bad?: boolean }
}

/** Refuses a message with a bad event without naming it, or every message with more than one event. */
async function startRefusingBroker(t: TestContext, code: string) {
  const stored = new Set<number>()
  const answer = (events: readonly SentEvent[]) => {
    const ids = events.map(({ event_id: id }) => id)
    const refuse = (id: string | null) => ({ event_id: id, status: 'rejected', error: { code, message: '' } })
    if (code === 'TOO_MANY_EVENTS' && ids.length > 1) return ids.map(refuse)
    if (code === 'INVALID_JSON' && events.some(({ meta }) => meta?.bad)) return refuse(null)
    for (const id of ids) stored.add(Number(id.slice(-10)))
    return ids.map((id) => ({ event_id: id, status: 'stored' }))
  }
  const server = createServer((socket) => {
    const send = (packet: Packet) => socket.write(generate(packet))
    const packets = parser()
    socket.on('data', (bytes: Buffer) => packets.parse(bytes))
    packets.on('packet', (packet) => {
      if (packet.cmd === 'connect') send({ cmd: 'connack', returnCode: 0, sessionPresent: false })
      if (packet.cmd === 'subscribe') send({ cmd: 'suback', messageId: packet.messageId ?? 0, granted: [0] })
      if (packet.cmd === 'pingreq') send({ cmd: 'pingresp' })
      if (packet.cmd !== 'publish') return
      const payload = JSON.stringify(answer(JSON.parse(packet.payload.toString())))
      send({ cmd: 'publish', topic: 'acks', payload, qos: 0, dup: false, retain: false })
    })
  })
  return { port: await listen(t, server), stored: () => [...stored].sort((one, other) => one - other) }
}

const FAULTS = ['reset', 'lost answers', 'frozen'] as const

/** Nine connections fail, each after so many more bytes, in one of three ways; the later ones work. */
async function startFaultyProxy(t: TestContext, target: number) {
  let connections = 0
  let faults = 0
  const server = createServer((device) => {
    const broker = openSocket(target, '127.0.0.1')
    const turn = connections++
    const fault = FAULTS[turn % 3]
    let left = turn < 9 ? 60 + 700 * turn : Number.POSITIVE_INFINITY
    for (const [from, to] of [
      [device, broker],
      [broker, device],
    ] as const) {
      from.on('error', () => to.destroy())
      from.on('close', () => to.destroy())
      from.on('data', (bytes: Buffer) => {
        const isWhole = fault === 'lost answers' && from === device
        if (isWhole) to.write(bytes)
        else if (left > 0) to.write(bytes.subarray(0, left))
        if (left > 0 && left <= bytes.length) {
          faults++
          if (fault === 'reset') device.resetAndDestroy()
        }
        left -= bytes.length
      })
    }
  })
  return { port: await listen(t, server), faults: () => faults }
}

/** Resolves with the port; ends with its connections after the test. */
async function listen(t: TestContext, server: Server): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => sockets.add(socket.on('error', () => socket.destroy())))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const address = server.address()
  return typeof address === 'object' && address ? address.port : 0
}
