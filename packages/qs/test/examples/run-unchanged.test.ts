import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { startTestConsole } from '@qs-telemetry/testing/console.ts'
import { missing } from '@qs-telemetry/testing/missing.ts'

const EXAMPLES = fileURLToPath(new URL('../../../../examples/', import.meta.url))

test('examples/node/index.mjs prints the device acks of its events, and keeps none back when it is stopped', async (t) => {
  const { mqttPort, query } = await startTestConsole(t)
  const directory = mkdtempSync(join(tmpdir(), 'qs-example-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const child = spawn(process.execPath, [join(EXAMPLES, 'node/index.mjs')], {
    cwd: directory,
    env: { ...process.env, MQTT_URL: `mqtt://127.0.0.1:${mqttPort}` },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => child.kill('SIGKILL'))
  const lines: string[] = []
  for await (const line of createInterface(child.stdout)) {
    lines.push(line)
    if (line.startsWith('stored ')) child.kill('SIGINT')
  }
  await once(child, 'exit')
  assert.equal(lines[0], '0 events of an earlier run are waiting')
  assert.equal(lines.at(-1), 'closed; 0 events wait for the next run')
  const rows = await query('select event_id from events')
  assert.equal(rows.length, 1)
  assert.ok(lines[1]?.startsWith(`stored ${rows[0]?.event_id} `), lines[1])
})

test('examples/mosquitto_pub/send.sh tells stored from rejected', {
  skip: missing('mosquitto_rr'),
}, async (t) => {
  const { mqttPort } = await startTestConsole(t)
  const send = (...args: readonly string[]) =>
    promisify(execFile)('sh', [join(EXAMPLES, 'mosquitto_pub/send.sh'), ...args], {
      env: { ...process.env, PORT: String(mqttPort) },
      timeout: 60_000,
    })
  assert.match((await send('door', '"open"')).stdout, /"event_id":"shell-1-.*"status":"stored"/)
  await assert.rejects(send('door', '{}'), { code: 1, stdout: /"status":"rejected"/ })
})
