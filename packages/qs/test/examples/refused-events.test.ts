import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { startTestConsole } from '@qs-telemetry/testing/console.ts'
import { missing } from '@qs-telemetry/testing/missing.ts'
import { mosquittoMissing, startMosquitto } from '@qs-telemetry/testing/mosquitto.ts'
import { startPipeline } from '@qs-telemetry/testing/pipeline.ts'
import { compileSketch } from './compile-sketch.ts'

/*
 * The unchanged examples, with a real broker and a real pipeline. None of these may stop them: a reading of NaN; an event
 * that is rejected without an id, which the example must find among its waiting events; a lost device ack. Each example
 * runs until no event is waiting.
 *
 * The examples for boards run on this machine, with stand-ins for a board's modules in micropython/, arduino/ and esp-idf/.
 */

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url))
const PYTHON = '/usr/bin/python3'
const run = promisify(execFile)
const pahoMissing = missing(PYTHON, '-c', 'import paho.mqtt.client')
const python3Missing = missing(PYTHON, '--version')
const compilerMissing = missing('g++', '--version')
const STAND_INS = fileURLToPath(new URL('.', import.meta.url))

/** Too long for a device ack to repeat it. */
const UNNAMEABLE = 'x'.repeat(2_000)

for (const [broker, brokerMissing, startStack] of [
  ['Mosquitto', mosquittoMissing, startWithMosquitto],
  ['the embedded broker', false, startEmbedded],
] as const) {
  test(`examples/python on ${broker}: NaN, an event without a name and a clock that stands cost no other event`, {
    skip: brokerMissing || pahoMissing,
  }, async (t) => {
    const directory = temporary(t)
    const { port, stored } = await startStack(t)
    const driver = `
import json, math, sys, time, types
sys.path.insert(0, ${JSON.stringify(join(ROOT, 'examples/python'))})
import send
send.RESEND_AFTER_S = 0.3
readings = [0.0, math.nan, 0.5, 0.7]
send.math = types.SimpleNamespace(sin=lambda _: readings.pop(0))
time.time_ns = lambda: 1795493553829000000
outbox = send.Outbox("python-1.sqlite", "python-1")
event = {"schema": 1, "device_id": "python-1", "event_type": "temp"}
outbox.keep({**event, "event_id": "python-1-before"})
outbox.keep({**event, "event_id": ${JSON.stringify(UNNAMEABLE)}})
outbox.keep({**event, "event_id": "python-1-after"})
outbox.db.close()
sys.argv = ["send.py", "--port", ${JSON.stringify(String(port))}, "--count", "3", "--every", "0.05"]
send.main()
sys.argv[4] = "1"
send.main()
`
    // Ends when the file holds no more events.
    const { stdout } = await run(PYTHON, ['-c', driver], { cwd: directory, timeout: 30_000 })
    assert.match(stdout, /^not sent: .*nan/m)
    const ids = (await stored()).map((id) => id.replace(/-[0-9a-f]{8}-/, '-epoch-')).sort()
    assert.deepEqual(ids, [
      'python-1-after',
      'python-1-before',
      ...[3, 4, 5].map((number) => `python-1-epoch-000000000${number}`),
    ])
  })

  test(`examples/node on ${broker}: NaN and an event without a name cost no other event`, {
    skip: brokerMissing,
  }, async (t) => {
    const directory = temporary(t)
    const { port, stored } = await startStack(t)
    symlinkSync(join(ROOT, 'node_modules'), join(directory, 'node_modules'))
    const source = readFileSync(join(ROOT, 'examples/node/plain-mqtt.mjs'), 'utf8')
    const driven = [
      ['const value = 21.5 ', 'const value = readings.shift() ?? Number.NaN '],
      ['resendAfterMs = 10_000', 'resendAfterMs = 300'],
      ['}, 1_000)', '}, 50)'],
    ].reduce((text, [from = '', to = '']) => {
      assert.ok(text.includes(from), from)
      return text.replace(from, to)
    }, source)
    const more = `
const readings = [21, Number.NaN, 22]
const json = JSON.stringify({ schema: 1, event_id: '${UNNAMEABLE}', device_id: deviceId, event_type: 'temp' })
waiting.set('unnameable', { json, sentAtMs: Number.NEGATIVE_INFINITY })
setInterval(() => readings.length === 0 && waiting.size === 0 && process.exit(), 20)
`
    writeFileSync(join(directory, 'plain-mqtt.mjs'), driven + more)
    await run(process.execPath, ['plain-mqtt.mjs'], {
      cwd: directory,
      env: { ...process.env, MQTT_URL: `mqtt://127.0.0.1:${port}` },
      timeout: 30_000,
    })
    assert.deepEqual(
      (await stored()).map((id) => id.slice(-9)),
      ['000000000', '000000001'],
    )
  })

  test(`examples/micropython on ${broker}: NaN and a lost device ack cost no event`, {
    skip: brokerMissing || python3Missing,
  }, async (t) => {
    const { port, stored } = await startStack(t)
    const main = join(ROOT, 'examples/micropython/main.py')
    const { stdout } = await run(
      PYTHON,
      ['-B', join(STAND_INS, 'micropython/drive.py'), main, String(port)],
      {
        cwd: temporary(t),
        timeout: 30_000,
      },
    )
    assert.match(stdout, /^temp could not be read$/m)
    assert.match(stdout, /^connected$/m)
    assert.match(stdout, /^lost: /m)
    assert.deepEqual(
      (await stored()).map((id) => id.replace(/-[0-9a-f]{8}-/, '-epoch-')),
      [0, 1, 2].map((number) => `micropython-1-epoch-000000000${number}`),
    )
  })

  for (const kind of ['arduino', 'esp-idf'] as const) {
    test(`the ${kind} example on ${broker}: NaN costs no other event`, {
      skip: brokerMissing || compilerMissing,
    }, async (t) => {
      const { port, stored } = await startStack(t)
      const program = await compileSketch(kind)
      const { stdout } = await run(program, { timeout: 30_000, env: { BROKER_PORT: String(port) } })
      assert.match(stdout, /^temp could not be read$/m)
      assert.match(stdout, /^connected$/m)
      assert.deepEqual(
        (await stored()).map((id) => id.replace(/-[0-9a-f]{8}-/, '-epoch-')),
        [0, 1, 2].map((number) => `a1b2c3d4e5f6-epoch-000000000${number}`),
      )
    })
  }
}

function temporary(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'qs-example-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

async function startWithMosquitto(t: TestContext) {
  const { port } = await startMosquitto(t)
  const { query } = await startPipeline(t, `mqtt://127.0.0.1:${port}`)
  return { port, stored: () => storedIds(query) }
}

async function startEmbedded(t: TestContext) {
  const { mqttPort: port, query } = await startTestConsole(t)
  return { port, stored: () => storedIds(query) }
}

type Query = (sql: string) => Promise<readonly Record<string, unknown>[]>

async function storedIds(query: Query): Promise<readonly string[]> {
  const rows = await query('select event_id from events order by event_id collate "C"')
  return rows.map((row) => String(row.event_id))
}
