import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { missing } from '@qs-telemetry/testing/missing.ts'
import { configOf } from '@qs-telemetry/testing/pipeline.ts'
import { type DeviceLogin, deviceLogin } from '../../src/accounts/device-login.ts'
import { qrPayload, SNIPPETS } from '../../src/accounts/device-snippets.ts'
import { renewCertificate } from '../../src/certificates/renew-certificate.ts'
import { temporaryDirectory } from '../embedded/postgres/data-directory.ts'

const EXAMPLES = new URL('../../../../examples/', import.meta.url)

const login: DeviceLogin = deviceLogin(
  configOf({ MQTT_PUBLIC_URL: 'mqtt://broker.lan:1884' }),
  `d'1 "é"`,
  `pass'word\\ "x"`,
)

const EXAMPLE_OF = {
  arduino: 'esp32-arduino/qs_telemetry_example/qs_telemetry_example.ino',
  'esp-idf': 'esp-idf/main/main.cpp',
  micropython: 'micropython/main.py',
} as const

for (const kind of ['arduino', 'esp-idf', 'micropython'] as const) {
  test(`each line of the ${kind} snippet replaces a line of its example`, () => {
    const example = readFileSync(new URL(EXAMPLE_OF[kind], EXAMPLES), 'utf8').split('\n')
    const lines = SNIPPETS[kind](login).split('\n')
    assert.equal(lines.length, 5)
    for (const line of lines) {
      const declaration = line.slice(0, line.indexOf(' = ') + 3)
      assert.equal(example.filter((each) => each.startsWith(declaration)).length, 1, declaration)
    }
  })

  test(`the ${kind} example connects and sends with DEVICE_ID as its client id`, () => {
    const example = readFileSync(new URL(EXAMPLE_OF[kind], EXAMPLES), 'utf8')
    const uses =
      kind === 'micropython'
        ? [
            'device_id = DEVICE_ID or',
            'Telemetry(BROKER, BROKER_PORT, device_id, MQTT_USER, MQTT_PASSWORD, tls=tls)',
          ]
        : ['? DEVICE_ID : deviceId', 'qs.begin({BROKER, (uint16_t)BROKER_PORT, id, MQTT_USER, MQTT_PASSWORD}']
    for (const use of uses) assert.ok(example.includes(use), use)
  })
}

for (const kind of ['arduino', 'esp-idf'] as const) {
  test(`the ${kind} snippet is valid C and C++`, { skip: missing('g++', '--version') }, () => {
    compileSnippet(SNIPPETS[kind](login))
  })
}

function compileSnippet(text: string): void {
  for (const language of ['c', 'c++']) {
    const options = [
      '-x',
      language,
      '-Wall',
      '-Wextra',
      '-Werror',
      '-Wno-unused',
      '-pedantic',
      '-fsyntax-only',
      '-',
    ]
    execFileSync('g++', options, { input: `${text}\n` })
  }
}

test('each example has the line of the authority that the snippets with TLS replace, and connects with TLS then', () => {
  for (const kind of ['arduino', 'esp-idf'] as const) {
    const example = readFileSync(new URL(EXAMPLE_OF[kind], EXAMPLES), 'utf8')
    assert.match(example, /^const char CA\[\] = "";.*$/m)
    assert.match(
      example,
      /if \(CA\[0\] != '\\0'\) \{\s+static qskit::TlsLink link\(CA\);\s+qs\.setLink\(link\);/,
    )
  }
  const example = readFileSync(new URL(EXAMPLE_OF.micropython, EXAMPLES), 'utf8')
  assert.match(example, /^CA = None .*$/m)
  assert.match(example, /if CA:\n.*SSLContext.*\n.*load_verify_locations\(cadata=CA\)/)
})

test('quotes and backslashes in credentials are kept', () => {
  const constant = /PASSWORD\[?\]? = (".*")/
  for (const kind of ['arduino', 'esp-idf', 'micropython'] as const) {
    assert.equal(JSON.parse(constant.exec(SNIPPETS[kind](login))?.[1] ?? ''), login.password)
  }
  const words = execFileSync('sh', [
    '-c',
    `mosquitto_pub() { printf '%s\\n' "$@"; }\n${SNIPPETS.mosquitto(login)}`,
  ])
  const args = words.toString().split('\n')
  assert.equal(args[args.indexOf('-P') + 1], login.password)
  assert.equal(args[args.indexOf('-i') + 1], login.deviceId)
  assert.equal(args[args.indexOf('-t') + 1], `qs/v1/${login.deviceId}/events`)
  assert.equal(JSON.parse(args[args.indexOf('-m') + 1] ?? '').device_id, login.deviceId)
})

test('with TLS each snippet says so, and the default port is 8883', () => {
  const tls = deviceLogin(configOf({ MQTT_PUBLIC_URL: 'mqtts://broker.lan' }), 'd1', 'secret')
  for (const kind of ['arduino', 'esp-idf'] as const) {
    assert.match(SNIPPETS[kind](tls), /BROKER_PORT = 8883;[\s\S]*set CA to your certificate authority/)
  }
  assert.match(SNIPPETS.mosquitto(tls), /-p 8883 --cafile/)
  assert.deepEqual(JSON.parse(qrPayload(tls)), {
    qs: 1,
    host: 'broker.lan',
    port: 8883,
    tls: true,
    user: 'd1',
    password: 'secret',
    client_id: 'd1',
  })
})

test('the broker for devices is MQTT_PUBLIC_URL, else MQTT_URL, else the network address of this machine', () => {
  const hostOf = (settings: Record<string, string>) => {
    const { host, port } = deviceLogin(configOf(settings), 'd1', 'secret')
    return `${host}:${port}`
  }
  assert.equal(hostOf({ MQTT_PUBLIC_URL: 'mqtt://a', MQTT_URL: 'mqtt://b' }), 'a:1883')
  assert.equal(hostOf({ MQTT_URL: 'mqtt://b:2000' }), 'b:2000')
  assert.match(hostOf({ MQTT_PORT: '2001' }), /^\d+\.\d+\.\d+\.\d+:2001$/)
  assert.equal(hostOf({ MQTT_URL: 'mqtt://localhost:2002' }), hostOf({ MQTT_PORT: '2002' }))
})

test('with the certificate of qs certificate each snippet uses TLS and contains the authority', async (t) => {
  const dataDir = temporaryDirectory(t)
  const names = ['board-server', 'localhost', 'nas.local', '10.0.0.7']
  const terms = { names, days: 1, newAuthority: false, nowMs: Date.now() }
  const { folder } = await renewCertificate(dataDir, terms)
  const pem = readFileSync(folder.authorityFile, 'utf8').trim()
  const own = deviceLogin(configOf({ QS_DATA_DIR: dataDir, MQTT_TLS_PORT: '8899' }), 'd1', 'secret')
  assert.deepEqual([own.host, own.port, own.tls], ['nas.local', 8899, true])

  for (const kind of ['arduino', 'esp-idf'] as const) {
    const literals = [...SNIPPETS[kind](own).matchAll(/^ {2}(".*")(?:;|$)/gm)]
    assert.equal(literals.map(([, literal = '']) => JSON.parse(literal)).join(''), `${pem}\n`)
    assert.match(SNIPPETS[kind](own), /^const char CA\[\] =$/m)
  }
  assert.ok(SNIPPETS.micropython(own).includes(`CA = b"""${pem}"""`))
  assert.ok(SNIPPETS.mosquitto(own).includes(`-h nas.local -p 8899 --cafile '${folder.authorityFile}'`))

  const other = { QS_DATA_DIR: dataDir, MQTT_PUBLIC_URL: 'mqtts://broker.lan' }
  assert.ok(deviceLogin(configOf(other), 'd1', 'x').authority !== null)
  const files = { MQTT_TLS_CERT_FILE: '/public.crt', MQTT_TLS_KEY_FILE: '/public.key' }
  assert.equal(deviceLogin(configOf({ ...other, ...files }), 'd1', 'x').authority, null, 'a public authority')
  const plain = { QS_DATA_DIR: dataDir, MQTT_PUBLIC_URL: 'mqtt://broker.lan' }
  assert.equal(deviceLogin(configOf(plain), 'd1', 'x').authority, null)
  assert.equal(deviceLogin(configOf({ QS_DATA_DIR: dataDir, MQTT_URL: 'mqtt://b' }), 'd1', 'x').tls, false)
})
