import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { missing } from '../support/missing.ts'
import { mosquittoMissing, startMosquitto } from '../support/mosquitto.ts'
import { startPipeline } from '../support/pipeline.ts'

/*
 * The examples as they are, between a real broker and a real pipeline. Two things must not stop them: a reading that is
 * NaN, and an event that is refused under no id, which an example has to find among the others that wait.
 */

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url))
const PYTHON = '/usr/bin/python3'
const run = promisify(execFile)
const pythonMissing = mosquittoMissing || missing(PYTHON, '-c', 'import paho.mqtt.client')

/** So long that no device ack repeats it. */
const UNNAMEABLE = 'x'.repeat(2_000)

test('examples/python: NaN and an event without a name cost no other event', {
  skip: pythonMissing,
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
  // Ends once the file holds no event any more.
  const { stdout } = await run(PYTHON, ['-c', driver], { cwd: directory, timeout: 30_000 })
  assert.match(stdout, /^not sent: .*nan/m)
  const ids = await stored()
  assert.deepEqual(
    ids.map((id) => id.replace(/-\d{13}-/, '-boot-')),
    ['python-1-boot-000000', 'python-1-boot-000002', 'python-1-after', 'python-1-before'],
  )
})

test('examples/node: NaN and an event without a name cost no other event', {
  skip: mosquittoMissing,
}, async (t) => {
  const directory = temporary(t)
  const { url, stored } = await startStack(t)
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
    env: { ...process.env, MQTT_URL: url },
    timeout: 30_000,
  })
  assert.deepEqual(
    (await stored()).map((id) => id.slice(-9)),
    ['000000000', '000000001'],
  )
})

function temporary(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'qs-example-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

async function startStack(t: TestContext) {
  const { url, port } = await startMosquitto(t)
  const { query } = await startPipeline(t, url)
  const stored = async () =>
    (await query('select event_id from events order by event_id collate "C"')).map((row) =>
      String(row.event_id),
    )
  return { url, port, stored }
}
