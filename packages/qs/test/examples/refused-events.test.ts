import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { atEnd } from '@qs-telemetry/testing/at-end.ts'
import { startTestConsole } from '@qs-telemetry/testing/console.ts'
import { missing } from '@qs-telemetry/testing/missing.ts'
import { mosquittoMissing, startMosquitto } from '@qs-telemetry/testing/mosquitto.ts'
import { startPipeline } from '@qs-telemetry/testing/pipeline.ts'

/*
 * The unchanged examples, with a real broker and a real pipeline. None of these may stop them: a reading of NaN; an event
 * that is rejected without an id, which the example must find among its waiting events; a lost device ack. Each example
 * runs until no event is waiting.
 *
 * The examples for boards run on this machine, with stand-ins for a board's modules in micropython/ and arduino/.
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
  test(`examples/python on ${broker}: NaN and an event without a name cost no other event`, {
    skip: brokerMissing || pahoMissing,
  }, async (t) => {
    const directory = temporary(t)
    const { port, stored } = await startStack(t)
    const driver = `
import json, math, sys, types
sys.path.insert(0, ${JSON.stringify(join(ROOT, 'examples/python'))})
import send
send.RESEND_AFTER_S = 0.3
readings = [0.0, math.nan, 0.5]
send.math = types.SimpleNamespace(sin=lambda _: readings.pop(0))
outbox = send.Outbox("python-1.sqlite")
event = {"schema": 1, "device_id": "python-1", "event_type": "temp"}
outbox.keep({**event, "event_id": "python-1-before"})
outbox.keep({**event, "event_id": ${JSON.stringify(UNNAMEABLE)}})
outbox.keep({**event, "event_id": "python-1-after"})
outbox.db.close()
sys.argv = ["send.py", "--port", ${JSON.stringify(String(port))}, "--count", "3", "--every", "0.05"]
send.main()
`
    // Ends when the file holds no more events.
    const { stdout } = await run(PYTHON, ['-c', driver], { cwd: directory, timeout: 30_000 })
    assert.match(stdout, /^not sent: .*nan/m)
    const ids = await stored()
    assert.deepEqual(
      ids.map((id) => id.replace(/-\d{13}-/, '-boot-')),
      ['python-1-boot-000000', 'python-1-boot-000002', 'python-1-after', 'python-1-before'],
    )
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

  test(`examples/micropython on ${broker}: NaN, an event without a name and a lost device ack cost no event`, {
    skip: brokerMissing || python3Missing,
  }, async (t) => {
    const { port, stored } = await startStack(t)
    const { stdout } = await run(
      PYTHON,
      [
        '-B',
        join(STAND_INS, 'micropython/drive.py'),
        join(ROOT, 'examples/micropython/main.py'),
        String(port),
      ],
      { cwd: temporary(t), timeout: 30_000 },
    )
    assert.match(stdout, /^temp could not be read$/m)
    assert.match(stdout, /^lost: /m)
    assert.match(stdout, /^ack: rejected None$/m)
    assert.deepEqual(
      (await stored()).map((id) => id.replace(/-\d{10}-/, '-boot-')),
      ['micropython-1-boot-000000', 'micropython-1-boot-000001', 'micropython-1-boot-000002'],
    )
  })

  test(`examples/esp32-arduino on ${broker}: NaN costs no other event`, {
    skip: brokerMissing || compilerMissing,
  }, async (t) => {
    const { port, stored } = await startStack(t)
    sketch ??= compileSketch()
    const { stdout } = await run(await sketch, { timeout: 30_000, env: { BROKER_PORT: String(port) } })
    assert.match(stdout, /^temp could not be read$/m)
    assert.match(stdout, /^connected$/m)
    assert.deepEqual(
      (await stored()).map((id) => id.replace(/-[0-9a-f]{8}-/, '-epoch-')),
      [0, 1, 2].map((number) => `a1b2c3d4e5f6-epoch-000000000${number}`),
    )
  })
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

let sketch: Promise<string> | undefined

/** Compiles the sketch and the device kit, with the settings of this test and a main function, and names the program. */
async function compileSketch(): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'qs-sketch-'))
  atEnd(async () => rmSync(directory, { recursive: true, force: true }))
  const text = readFileSync(
    join(ROOT, 'examples/esp32-arduino/qs_telemetry_example/qs_telemetry_example.ino'),
    'utf8',
  )
  const settings: readonly (readonly [RegExp, string])[] = [
    [/BROKER\[\] = "[^"]*"/, 'BROKER[] = "127.0.0.1"'],
    [/BROKER_PORT = \d+/, 'BROKER_PORT = atoi(getenv("BROKER_PORT"))'],
    [/MEASURE_EVERY_MS = \d+/, 'MEASURE_EVERY_MS = 50'],
    [/return 21\.0f .*/, 'return nextReading();'],
  ]
  const driven = settings.reduce((text, [from, to]) => {
    assert.match(text, from)
    return text.replace(from, to)
  }, text)
  const source = join(directory, 'sketch.cpp')
  writeFileSync(source, `#include "Arduino.h"\n#include "readings.h"\n${driven}\n#include "drive.cpp"\n`)
  const program = join(directory, 'sketch')
  const kit = join(ROOT, 'device/esp32/src')
  const sources = readdirSync(kit).filter((name) => name.endsWith('.cpp'))
  const flags = ['-std=c++17', '-Wall', '-Wextra', '-Werror', '-DARDUINO', '-DESP_PLATFORM']
  const folders = [`-I${join(STAND_INS, 'arduino')}`, `-I${kit}`]
  const all = [source, ...sources.map((name) => join(kit, name))]
  await run('g++', [...flags, ...folders, '-o', program, ...all], { timeout: 100_000 })
  return program
}
