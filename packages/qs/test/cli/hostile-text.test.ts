import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { missing } from '@qs-telemetry/testing/missing.ts'
import { mosquittoMissing, startMosquitto } from '@qs-telemetry/testing/mosquitto.ts'
import { listen, startPipeline } from '@qs-telemetry/testing/pipeline.ts'
import { runQs, startQs } from '@qs-telemetry/testing/qs.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import { guarded } from '../../src/cli/guard-output.ts'
import { oneLine, visible, visibleLines } from '../../src/telemetry/visible.ts'

const code = (...points: readonly number[]) => String.fromCodePoint(...points)
/** Clear screen, set title, single-character CSI, right-to-left override, carriage return. */
const HOSTILE = `x${code(0x1b)}[2J${code(0x1b)}]0;t${code(7)}${code(0x9b)}31m${code(0x202e)}${code(0x2066)}${code(0x200f)}${code(0x2028)}${code(0x7f)}\r${code(8)}y`
/** Characters that no command may print; line feeds and tabs are allowed. */
const UNSAFE = /(?![\n\t])[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u

function assertSafe(text: string, what: string): void {
  const found = UNSAFE.exec(text)
  const where = JSON.stringify(text.slice(Math.max(0, (found?.index ?? 0) - 40), (found?.index ?? 0) + 10))
  assert.equal(found, null, `${what} prints an unsafe character: ${where}`)
}

test('visible text shows control characters as escapes', () => {
  assertSafe(visible(HOSTILE), 'visible')
  assert.equal(JSON.parse(`"${visible(HOSTILE)}"`), HOSTILE)
  assert.equal(visibleLines(`a\n\tb${code(0x1b)}`), 'a\n\tb\\u001b')
  assert.equal(oneLine('a\r\nb', 10), 'a b')
  assert.equal(oneLine('x'.repeat(20), 10), `${'x'.repeat(10)} … (20 characters)`)
})

test('the guard of standard output passes the colours of qs and nothing that hides or moves text', () => {
  const own = `${code(0x1b)}[31mred${code(0x1b)}[39m\n`
  assert.equal(guarded(own), own)
  for (const sequence of ['[8m', '[2J', ']0;title', '[7m', '[1A'])
    assert.equal(guarded(`${code(0x1b)}${sequence}`), `\\u001b${sequence}`)
})

interface Run {
  readonly args: readonly string[]
  readonly input?: string
}

test('no command prints control or bidirectional characters of stored data', {
  skip: mosquittoMissing,
}, async (t) => {
  const broker = await startMosquitto(t)
  const { query, databaseUrl } = await startPipeline(t, broker.url)
  const { client } = await listen(t, broker.url)
  // Inserted directly: the wire contract rejects control characters in ids, but not bidirectional ones.
  await query('insert into devices (device_id, first_seen, last_seen, label) values ($1, now(), now(), $1)', [
    HOSTILE,
  ])
  const bidi = `d${code(0x202e)}${code(0x2066)}`
  const hostileEvent = {
    schema: 1,
    event_id: HOSTILE,
    device_id: bidi,
    event_type: HOSTILE,
    value: HOSTILE,
    unit: 'x'.repeat(300),
    meta: { [HOSTILE]: HOSTILE },
  }
  const env = { MQTT_URL: broker.url, DATABASE_URL: databaseUrl }
  const tail = startQs(t, ['tail'], { env })
  const tailJson = startQs(t, ['tail', '--json'], { env })
  await until(() => tail.stderr().includes('watching'), 'qs tail watches')
  const publish = (payload: string) => client.publishAsync(`qs/v1/${bidi}/events`, payload, { qos: 1 })
  await until(async () => {
    await publish(JSON.stringify(hostileEvent))
    await publish(`{${HOSTILE}`)
    await publish(JSON.stringify({ ...hostileEvent, unit: HOSTILE, event_id: 'good' }))
    return tail.stdout().includes('dead') && tailJson.stdout().includes('deadletter')
  }, 'qs tail has printed a dead letter')
  await until(async () => (await query('select from dead_letters')).length > 1, 'letters are stored')
  await until(() => tail.stdout().includes('ack'), 'qs tail has printed a device ack')

  for (const { args, input } of [
    { args: ['deadletter', 'ls'] },
    { args: ['deadletter', 'show', '1'] },
    { args: ['deadletter', 'show', '1', '--json'] },
    { args: ['deadletter', 'fix', '1', '--merge', JSON.stringify({ event_type: HOSTILE })] },
    { args: ['deadletter', 'replay', '1'] },
    { args: ['device', 'ls'] },
    { args: ['publish', '--file', '-', '--raw', '--device', bidi], input: `{${HOSTILE}` },
    { args: ['publish', '--device', bidi, '--type', HOSTILE, '--value', HOSTILE] },
    { args: [HOSTILE] },
  ] as readonly Run[]) {
    const what = `qs ${visible(args.join(' '))}`
    const { stdout, stderr } = await runQs(t, args, { env, ...(input !== undefined && { input }) })
    assert.ok(`${stdout}${stderr}`.length > 0, `${what} says something`)
    assertSafe(stdout, what)
    assertSafe(stderr, what)
  }
  assertSafe(tail.stdout(), 'qs tail')
  assertSafe(tailJson.stdout(), 'qs tail --json')
  const topics = tailJson
    .stdout()
    .split('\n')
    .filter(Boolean)
    .map((line) => (JSON.parse(line) as { topic: string }).topic)
  assert.ok(topics.includes(`qs/v1/${bidi}/acks`), 'the JSON keeps the text')
})

test('a log line for a terminal contains no foreign escape sequence', {
  skip: missing('script', '--version'),
}, (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'qs-log-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const log = new URL('../../src/telemetry/log.ts', import.meta.url).pathname
  const program = `
    import { createLog } from ${JSON.stringify(log)}
    const text = JSON.parse(process.env.HOSTILE)
    createLog('info').warn({ client: text, err: new Error(text) }, text)`
  const command = `${process.execPath} --import tsx --conditions=source --input-type=module -e "$PROGRAM"`
  const { stdout } = spawnSync('script', ['-qec', command, join(directory, 'typescript')], {
    env: { ...process.env, PROGRAM: program, HOSTILE: JSON.stringify(HOSTILE), NO_COLOR: '1' },
    encoding: 'utf8',
  })
  assert.match(stdout, /WARN.*x\\u001b\[2J/)
  assertSafe(
    stdout.replaceAll('\r\n', '\n').replaceAll(new RegExp(`${code(0x1b)}\\[(?:3\\d|9\\d|0)m`, 'g'), ''),
    'the log',
  )
})
