import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { ConfigError, findMisspelt, findSettings, parseConfig } from '../../src/config/load.ts'
import type { Config } from '../../src/config/settings.ts'
import { ERRORS } from '../../src/errors/errors.ts'

type Variables = Readonly<Record<string, string>>

const load = (environment: Variables, dotenv: Variables = {}): Config =>
  parseConfig(findSettings(environment, dotenv), findMisspelt(environment, dotenv))

/** The problems of the settings, as an operator reads them. */
function problemsOf(environment: Variables, dotenv: Variables = {}): readonly string[] {
  try {
    load(environment, dotenv)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  return []
}

/** A file with a secret, deleted after the test. */
function secretFile(t: TestContext, content: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'qs-config-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'secret')
  writeFileSync(file, content)
  return file
}

test('without any variable the defaults of the contract apply', () => {
  const config = load({})
  assert.equal(config.MQTT_URL, null)
  assert.equal(config.DATABASE_URL, null)
  assert.equal(config.MQTT_EVENTS_TOPIC.filter, 'qs/v1/+/events')
  assert.equal(config.ACK_TEMPLATE, 'qs/v1/{device_id}/acks')
  assert.equal(config.MQTT_DEADLETTER_TOPIC, 'qs/v1/deadletter')
  assert.equal(config.ACK_QOS, 0)
  assert.equal(config.DEVICE_TIMEZONE, 'America/Los_Angeles')
  assert.equal(config.DEVICE_CLOCK_MAX_PAST, 7_776_000_000)
  assert.equal(config.DEVICE_CLOCK_MAX_FUTURE, 3_600_000)
  assert.deepEqual(
    [config.HTTP_PORT, config.MQTT_PORT, config.MQTT_WS_PORT, config.POSTGRES_PORT],
    [8080, 1883, 9001, 5433],
  )
  assert.deepEqual(
    [
      config.LIMIT_MESSAGE_BYTES,
      config.LIMIT_ARRAY_EVENTS,
      config.LIMIT_ID_BYTES,
      config.LIMIT_UNIT_BYTES,
      config.LIMIT_TS_DEVICE_BYTES,
      config.LIMIT_VALUE_TEXT_BYTES,
      config.LIMIT_META_BYTES,
      config.LIMIT_META_DEPTH,
    ],
    [262_144, 1000, 128, 32, 64, 16_384, 32_768, 32],
  )
})

test('the environment overrides .env, and .env the default', () => {
  const found = findSettings({ HTTP_PORT: '1' }, { HTTP_PORT: '2', MQTT_PORT: '3' })
  assert.deepEqual(found.HTTP_PORT, { text: '1', source: 'environment', problem: null })
  assert.deepEqual(found.MQTT_PORT, { text: '3', source: '.env', problem: null })
  assert.deepEqual(found.POSTGRES_PORT, { text: '5433', source: 'default', problem: null })
  assert.deepEqual(found.MQTT_URL, { text: null, source: 'unset', problem: null })
})

test('a misspelt name is refused with the likely one, in the environment and in .env', () => {
  assert.deepEqual(
    problemsOf(
      { HTTP_PORTT: '80', MQTT_USERNAM: 'a', DATABSAE_URL: 'x', PATH: '/bin', HTTP_PROXY: 'p' },
      { http_host: '::1' },
    ),
    [
      'http_host (.env) is not a setting; did you mean HTTP_HOST? If another program needs it, set HTTP_HOST too',
      'HTTP_PORTT (environment) is not a setting; did you mean HTTP_PORT? If another program needs it, set HTTP_PORT too',
      'MQTT_USERNAM (environment) is not a setting; did you mean MQTT_USERNAME? If another program needs it, set MQTT_USERNAME too',
      'DATABSAE_URL (environment) is not a setting; did you mean DATABASE_URL? If another program needs it, set DATABASE_URL too',
    ],
  )
  assert.match(
    problemsOf({ MQTT_PASWORD_FILE: '/nowhere' })[0] ?? '',
    /^MQTT_PASWORD_FILE .* did you mean MQTT_PASSWORD_FILE\?/,
  )
})

test('a name like that of a setting is left alone if it is empty, or if the setting is set as well', () => {
  assert.deepEqual(problemsOf({ HTTP_PORTT: '', LOGLEVEL: 'INFO', LOG_LEVEL: 'info' }), [])
})

test('an empty variable counts as unset', () => {
  const found = findSettings({ HTTP_PORT: '', MQTT_USERNAME: '', MQTT_PORT: '' }, { MQTT_PORT: '3' })
  assert.deepEqual(found.HTTP_PORT, { text: '8080', source: 'default', problem: null })
  assert.deepEqual(found.MQTT_USERNAME, { text: null, source: 'unset', problem: null })
  assert.deepEqual(found.MQTT_PORT, { text: '3', source: '.env', problem: null })
})

test('all wrong settings are reported at once, each with its source and the values it takes', () => {
  assert.deepEqual(problemsOf({ HTTP_PORT: 'web', ACK_QOS: '2' }, { DEVICE_TIMEZONE: 'Mars/Olympus' }), [
    'ACK_QOS (environment) takes 0 or 1, not "2"',
    'DEVICE_TIMEZONE (.env) takes an IANA time zone such as America/Los_Angeles or UTC, not "Mars/Olympus"',
    'HTTP_PORT (environment) takes a whole number from 0 to 65535, not "web"',
  ])
})

test('the error message lists each problem on its own line', () => {
  const { advice } = ERRORS.SETTINGS_WRONG
  assert.equal(new ConfigError(['a', 'b']).message, `2 settings are wrong:\n  a\n  b\n${advice}`)
  assert.equal(new ConfigError(['a']).message, `A setting is wrong:\n  a\n${advice}`)
})

test('a secret is read from a file, without the final line break', (t) => {
  for (const [content, secret] of [
    ['s3cret\n', 's3cret'],
    ['s3cret\r\n', 's3cret'],
    ['s3cret', 's3cret'],
    [' s 3 \n\n', ' s 3 \n'],
  ] as const) {
    const file = secretFile(t, content)
    const found = findSettings({ MQTT_PASSWORD_FILE: file }, {})
    assert.deepEqual(found.MQTT_PASSWORD, { text: secret, source: `file ${file}`, problem: null })
  }
})

test('a secret in the environment, direct or as a file, overrides one in .env', (t) => {
  const file = secretFile(t, 'from file')
  assert.equal(
    findSettings({ MQTT_PASSWORD: 'direct' }, { MQTT_PASSWORD_FILE: file }).MQTT_PASSWORD.text,
    'direct',
  )
  assert.equal(
    findSettings({ MQTT_PASSWORD_FILE: file }, { MQTT_PASSWORD: 'dotenv' }).MQTT_PASSWORD.text,
    'from file',
  )
})

test('only secrets come from files', (t) => {
  const file = secretFile(t, '9')
  assert.equal(load({ HTTP_PORT_FILE: file }).HTTP_PORT, 8080)
})

test('an unreadable secret file is reported together with all other problems', () => {
  const problems = problemsOf({
    MQTT_PASSWORD_FILE: '/nonexistent/a',
    DATABASE_URL_FILE: '/nonexistent/b',
    ACK_QOS: '2',
  })
  assert.match(
    problems.find((each) => each.startsWith('MQTT_PASSWORD_FILE=/nonexistent/a')) ?? '',
    /cannot be read/,
  )
  assert.match(
    problems.find((each) => each.startsWith('DATABASE_URL_FILE=/nonexistent/b')) ?? '',
    /cannot be read/,
  )
  assert.ok(
    problems.some((each) => each.startsWith('ACK_QOS')),
    'ACK_QOS is not reported',
  )
})

test('the value of a wrong secret is not shown', () => {
  const [problem = ''] = problemsOf({ DATABASE_URL: 'mysql://user:s3cret@host/db' })
  assert.match(problem, /^DATABASE_URL \(environment\) takes a URL/)
  assert.doesNotMatch(problem, /s3cret/)
})

test('a password in MQTT_URL is not shown either', () => {
  for (const url of [
    'http://user:s3cret@broker',
    'mqtt://user:s3cret@broker',
    'mqtt://user:pa/s3cret@broker',
    'mqtt://user:pa@s3cret@broker',
    'mqtt://user:s3cret@',
    'user:s3cret@broker',
    'http://broker?password=s3cret',
  ]) {
    const problems = problemsOf({ MQTT_URL: url })
    assert.equal(problems.length, 1)
    assert.doesNotMatch(problems.join(), /s3cret/)
  }
})

test('property names of every object are not settings', () => {
  assert.doesNotThrow(() => load({ constructor: 'x', toString: 'y' }))
})

test('device acks on the events topic are refused: they would be received as events, and answered', () => {
  assert.notDeepEqual(problemsOf({ ACK_TEMPLATE: 'qs/v1/{device_id}/events' }), [])
  assert.notDeepEqual(
    problemsOf({ MQTT_EVENTS_TOPIC: 'qs/v1/acks/+', ACK_TEMPLATE: 'qs/v1/acks/{device_id}' }),
    [],
  )
})

test('dead letters on the events topic are refused: each would cause the next', () => {
  assert.notDeepEqual(problemsOf({ MQTT_DEADLETTER_TOPIC: 'qs/v1/dead/events' }), [])
  assert.notDeepEqual(
    problemsOf({ MQTT_EVENTS_TOPIC: '$share/g/qs/+', MQTT_DEADLETTER_TOPIC: 'qs/deadletter' }),
    [],
  )
})

test('a keep-alive out of range for MQTT or for a timer is refused', () => {
  assert.deepEqual(problemsOf({ MQTT_KEEP_ALIVE: '60s' }), [])
  for (const text of ['0s', '7h', '90d']) assert.equal(problemsOf({ MQTT_KEEP_ALIVE: text }).length, 1, text)
})

test('console memory below what the console needs to start is refused', () => {
  assert.deepEqual(problemsOf({ CONSOLE_MEMORY: '64MiB' }), [])
  assert.deepEqual(problemsOf({ CONSOLE_MEMORY: '1MiB' }), [
    'CONSOLE_MEMORY (environment) takes 64MiB or more, not "1MiB"',
  ])
})

test('a database timeout of 0, or too long for a timer, is refused', () => {
  for (const text of ['0s', '30d']) assert.equal(problemsOf({ DATABASE_TIMEOUT: text }).length, 1, text)
})

test('trusted proxies are refused if the console has no password, or if they are not addresses', () => {
  const proxies = { HTTP_TRUSTED_PROXIES: '10.0.0.2, 172.16.0.0/12' }
  assert.deepEqual(problemsOf(proxies), [
    'HTTP_TRUSTED_PROXIES is set but the console has no password: set CONSOLE_OPERATOR_PASSWORD',
  ])
  for (const name of ['CONSOLE_OPERATOR_PASSWORD', 'CONSOLE_VIEWER_PASSWORD'])
    assert.deepEqual(problemsOf({ ...proxies, [name]: 'correct horse' }), [], name)
  for (const wrong of [
    'proxy.example',
    '10.0.0.2;10.0.0.3',
    '10.0.0.0/33',
    '10.0.0.0/8/8',
    '::/129',
    '1',
    ',',
  ])
    assert.match(
      problemsOf({ HTTP_TRUSTED_PROXIES: wrong, CONSOLE_OPERATOR_PASSWORD: 'correct horse' }).join(),
      /^HTTP_TRUSTED_PROXIES .* takes IP addresses and networks/,
      wrong,
    )
})
