import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { runQs } from '@qs-telemetry/testing/qs.ts'
import { certificateFolder } from '../../src/certificates/certificate-files.ts'
import { renewCertificate } from '../../src/certificates/renew-certificate.ts'
import { readServerCertificate } from '../../src/certificates/server-certificate.ts'
import { temporaryDirectory } from '../embedded/postgres/data-directory.ts'

const DAY_MS = 86_400_000
const DEFAULTS = { days: 825, newAuthority: false, nowMs: Date.now() }

const verify = (...args: readonly string[]) => execFileSync('openssl', ['verify', '-x509_strict', ...args])

test('OpenSSL verifies the certificate for each of its names, and for no other', async (t) => {
  const names = ['nas.local', '192.168.1.10', 'fd00::2']
  const { folder } = await renewCertificate(temporaryDirectory(t), { ...DEFAULTS, names })
  const check = (...name: readonly string[]) =>
    verify('-purpose', 'sslserver', '-CAfile', folder.authorityFile, ...name, folder.certFile)
  check('-verify_hostname', 'nas.local')
  check('-verify_ip', '192.168.1.10')
  check('-verify_ip', 'fd00::2')
  assert.throws(() => check('-verify_hostname', 'other.local'))
  assert.throws(() => check('-verify_ip', '192.168.1.11'))
})

test('renewing keeps the authority and the names; both keys are readable only by their owner', async (t) => {
  const dataDir = temporaryDirectory(t)
  const first = await renewCertificate(dataDir, { ...DEFAULTS, names: ['nas.local', 'fd00::2'] })
  const authority = readFileSync(first.folder.authorityFile, 'utf8')
  const second = await renewCertificate(dataDir, { ...DEFAULTS, names: ['10.0.0.9', 'fd00::2'] })
  assert.equal(first.authority.isNew, true)
  assert.equal(second.authority.isNew, false)
  assert.equal(readFileSync(first.folder.authorityFile, 'utf8'), authority)
  assert.deepEqual(second.certificate.names, ['10.0.0.9', 'fd00::2', 'nas.local'])
  assert.notEqual(second.certificate.fingerprint, first.certificate.fingerprint)
  const { certFile, keyFile, authorityFile, authorityKeyFile } = second.folder
  for (const file of [certFile, keyFile, authorityFile, authorityKeyFile])
    assert.equal(statSync(file).mode & 0o777, 0o600, file)

  const third = await renewCertificate(dataDir, { ...DEFAULTS, names: ['10.0.0.9'], newAuthority: true })
  assert.equal(third.authority.isNew, true)
  assert.notEqual(readFileSync(first.folder.authorityFile, 'utf8'), authority)
})

test('a certificate ends no later than its authority, and an expired authority is named', async (t) => {
  const dataDir = temporaryDirectory(t)
  const names = ['nas.local']
  await renewCertificate(dataDir, { ...DEFAULTS, names })
  const nowMs = DEFAULTS.nowMs + 3_600 * DAY_MS
  const { certificate } = await renewCertificate(dataDir, { ...DEFAULTS, names, nowMs })
  assert.equal(Math.round((certificate.validToMs - DEFAULTS.nowMs) / DAY_MS), 3_650)
  await assert.rejects(
    renewCertificate(dataDir, { ...DEFAULTS, names, nowMs: nowMs + 100 * DAY_MS }),
    /AUTHORITY_UNUSABLE|has expired.*--new-authority/,
  )
  rmSync(certificateFolder(dataDir).authorityKeyFile)
  await assert.rejects(
    renewCertificate(dataDir, { ...DEFAULTS, names }),
    /ca\.key cannot be read.*Restore ca\.crt and ca\.key/,
  )
})

test('an unusable certificate or key is named, with what is wrong', async (t) => {
  const dataDir = temporaryDirectory(t)
  const { folder } = await renewCertificate(dataDir, { ...DEFAULTS, names: ['a'] })
  const { authorityKeyFile: otherKey, certFile, keyFile } = folder
  const missing = join(dataDir, 'missing')
  const text = join(dataDir, 'text')
  const encrypted = join(dataDir, 'encrypted')
  writeFileSync(text, 'hello')
  execFileSync('openssl', ['pkcs8', '-topk8', '-in', keyFile, '-out', encrypted, '-passout', 'pass:x'])
  for (const [files, problem] of [
    [{ certFile: missing, keyFile }, /missing cannot be read: ENOENT/],
    [{ certFile: text, keyFile }, /text cannot be used: no certificate in PEM/],
    [{ certFile, keyFile: text }, /text cannot be used: no private key in PEM/],
    [{ certFile, keyFile: encrypted }, /encrypted cannot be used: it is encrypted with a passphrase/],
    [{ certFile, keyFile: otherKey }, /is not the key of the first certificate in .*qs certificate/],
  ] as const)
    assert.throws(() => readServerCertificate(files), problem)
})

test('qs certificate prints what a board needs, and refuses what is no name', async (t) => {
  const env = { QS_DATA_DIR: temporaryDirectory(t), MQTT_PUBLIC_URL: 'mqtts://broker.example.org:8883' }
  const shown = await runQs(t, ['certificate', 'nas.local'], { env })
  assert.equal(shown.code, 0, shown.stderr)
  for (const part of ['nas.local', 'broker.example.org', 'localhost', 'tls/ca.crt', 'SHA-256', '--cafile'])
    assert.ok(shown.stdout.includes(part), part)
  const json = await runQs(t, ['certificate', '--json'], { env })
  const { names, authority } = JSON.parse(json.stdout) as { names: string[]; authority: object }
  assert.ok(names.includes('nas.local') && names.includes('127.0.0.1'))
  assert.equal((authority as { new: boolean }).new, false)
  assert.equal(new Set(names).size, names.length)
  const wrong = await runQs(t, ['certificate', 'https://nas.local'], { env })
  assert.equal(wrong.code, 2)
  assert.match(wrong.stderr, /"https:\/\/nas\.local" is not a host name or an IP address/)
})
