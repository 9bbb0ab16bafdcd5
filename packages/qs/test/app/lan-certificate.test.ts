import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { freePort } from '@qs-telemetry/testing/free-port.ts'
import { configOf } from '@qs-telemetry/testing/pipeline.ts'
import { silentLog } from '@qs-telemetry/testing/silent-log.ts'
import { deviceLogin, withTls } from '../../src/accounts/device-login.ts'
import { lanCertificate } from '../../src/app/lan-certificate.ts'
import { certificateFolder } from '../../src/certificates/certificate-files.ts'
import { renewCertificate } from '../../src/certificates/renew-certificate.ts'
import { readServerCertificate } from '../../src/certificates/server-certificate.ts'
import { temporaryDirectory } from '../embedded/postgres/data-directory.ts'

const DAY_MS = 86_400_000

/** A machine whose names and clock the test changes. */
async function machine(t: TestContext, { tlsOnly = false, ...settings }: Record<string, unknown> = {}) {
  const QS_DATA_DIR = temporaryDirectory(t)
  const ports = { MQTT_TLS_PORT: String(await freePort()), MQTT_WSS_PORT: String(await freePort()) }
  const config = configOf({ QS_DATA_DIR, ...ports, ...(settings as Record<string, string>) })
  const folder = certificateFolder(QS_DATA_DIR)
  const state = { names: ['nas', 'nas.local', '10.0.0.7', 'fd00::7'], board: '10.0.0.7', nowMs: Date.now() }
  const { log, records } = silentLog()
  const start = (asked = tlsOnly === true) =>
    lanCertificate(config, {
      ...{ tlsOnly: asked, log, names: () => state.names, now: () => state.nowMs },
      boardName: async () => state.board,
    })
  const warnings = () => records.filter(({ level }) => level === 'warn').map(({ msg }) => msg)
  return { config, folder, state, start, records, warnings, read: () => readServerCertificate(folder) }
}

test('a certificate is made once, for all names; boards without TLS stay the default, --tls pins the authority', async (t) => {
  const { config, state, start, read, warnings } = await machine(t)
  const { make, renew } = start()
  await make()
  const made = read()
  assert.deepEqual(made.names, ['10.0.0.7', 'nas', 'nas.local', 'fd00::7'])
  // A temporary address of IPv6, and a day.
  state.names = [...state.names, 'fd00::8']
  state.nowMs += DAY_MS
  await renew()
  assert.equal(read().fingerprint, made.fingerprint)
  assert.deepEqual(warnings(), [])

  assert.equal(deviceLogin(config, 'kitchen', 'x').tls, false)
  const { host, port, tls, authority } = deviceLogin(withTls(config, true), 'kitchen', 'x')
  assert.deepEqual([host, port, tls], ['10.0.0.7', config.MQTT_TLS_PORT, true])
  assert.match(authority?.pem[0] ?? '', /BEGIN CERTIFICATE/)
})

test('a new address of the machine comes into the certificate, and the log says which boards notice', async (t) => {
  const { config, folder, state, start, read, warnings } = await machine(t)
  const { make, renew } = start()
  await make()
  const authority = readFileSync(folder.authorityFile, 'utf8')
  state.names = ['nas', 'nas.local', '10.0.0.9']
  state.board = '10.0.0.9'
  await renew()
  assert.deepEqual(read().names, ['10.0.0.9', 'nas', 'nas.local', '10.0.0.7', 'fd00::7'])
  assert.equal(readFileSync(folder.authorityFile, 'utf8'), authority)
  assert.equal(deviceLogin(withTls(config, true), 'kitchen', 'x').host, '10.0.0.9')
  assert.equal(warnings().length, 1)
  assert.match(
    warnings()[0] ?? '',
    /new name or address, 10\.0\.0\.9\. The certificate has it now; boards keep their ca\.crt\. Boards that connect to a former address \(10\.0\.0\.7\) need the new one/,
  )
  await renew()
  assert.equal(warnings().length, 1)
})

test('after a new host name boards get that one', async (t) => {
  const { config, state, start } = await machine(t)
  state.board = 'nas.local'
  const { make, renew } = start()
  await make()
  state.names = ['box', 'box.local', '10.0.0.7']
  state.board = 'box.local'
  await renew()
  assert.equal(deviceLogin(withTls(config, true), 'kitchen', 'x').host, 'box.local')
})

test('it is renewed with a third of its time left, for as long and with the same first name as before', async (t) => {
  const { config, state, start, read, records } = await machine(t)
  const terms = { names: ['home.example', ...state.names], days: 90, newAuthority: false, nowMs: state.nowMs }
  await renewCertificate(config.QS_DATA_DIR, terms)
  const first = read()
  const { renew } = start()
  state.nowMs += 59 * DAY_MS
  await renew()
  assert.equal(read().fingerprint, first.fingerprint)
  state.nowMs += 2 * DAY_MS
  await renew()
  const second = read()
  assert.notEqual(second.fingerprint, first.fingerprint)
  assert.deepEqual(second.names, first.names)
  assert.equal(Math.round((second.validToMs - state.nowMs) / DAY_MS), 90)
  assert.match(records.at(-1)?.msg ?? '', /Renewed.*Boards need no change/)
  assert.equal(deviceLogin(config, 'kitchen', 'x').tls, true, 'somebody asked for it')
})

test('--tls-only asks for the certificate: TLS is the default of logins from then on', async (t) => {
  const { config, start, folder } = await machine(t)
  await start().make()
  assert.ok(existsSync(folder.automaticFile))
  await start(true).renew()
  assert.equal(deviceLogin(config, 'kitchen', 'x').tls, true)
  assert.equal(deviceLogin(withTls(config, false), 'kitchen', 'x').tls, false)
  await start().renew()
  assert.ok(!existsSync(folder.automaticFile))
})

test('what cannot be issued costs a warning, once, and never the start', async (t) => {
  const { config, state, folder, start, warnings, read } = await machine(t)
  const other = createServer().listen(config.MQTT_WSS_PORT, '127.0.0.1')
  t.after(() => other.close())
  await once(other, 'listening')
  await start().make()
  assert.match(warnings()[0] ?? '', new RegExp(`another program has port ${config.MQTT_WSS_PORT}`))
  assert.ok(!existsSync(folder.certFile))
  assert.throws(() => withTls(config, true), /NO_CERTIFICATE|no certificate/)
  other.close()

  await start().make()
  const { fingerprint } = read()
  rmSync(folder.authorityKeyFile)
  state.names = [...state.names, '10.0.0.8']
  const { renew } = start()
  await renew()
  await renew()
  assert.deepEqual(warnings().slice(1), ['The certificate for TLS could not be issued'])
  assert.equal(read().fingerprint, fingerprint)
})

test('a certificate of the settings stays as it is', async (t) => {
  const { config, folder, start } = await machine(t, {
    MQTT_TLS_CERT_FILE: '/etc/public.crt',
    MQTT_TLS_KEY_FILE: '/etc/public.key',
  })
  await start().renew()
  assert.ok(!existsSync(folder.folder))
  assert.match(deviceLogin(withTls(config, false), 'kitchen', 'x').host, /^\d+\./)
})
