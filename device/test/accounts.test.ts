import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { missing } from '@qs-telemetry/testing/missing.ts'
import type { DeviceLogin } from '../../packages/qs/src/accounts/device-login.ts'
import { qrPayload } from '../../packages/qs/src/accounts/device-snippets.ts'
import { compile, KIT, link, temporary } from './support/compile.ts'

const login: DeviceLogin = {
  deviceId: 'kitchen',
  password: 'a "quoted" \\ word, {or} two: ü',
  host: '192.168.1.10',
  port: 8883,
  tls: true,
  authority: null,
  eventsTopic: '',
  acksTopic: '',
}

test('a board keeps the account of a QR code in NVS, and refuses any other text', {
  skip: missing('g++', '--version'),
}, async () => {
  const directory = temporary()
  const sources = [
    fileURLToPath(new URL('host/accounts.cpp', import.meta.url)),
    join(KIT, 'account-text.cpp'),
  ]
  const objects = sources.map((source, index) => compile(source, join(directory, `${index}.o`)))
  const program = await link(await Promise.all(objects), join(directory, 'accounts'))
  const code = qrPayload(login)
  const loadOf = (texts: readonly string[]) =>
    execFileSync(program, { input: `${texts.join('\n')}\n` })
      .toString()
      .split('\n')
      .slice(0, -1)
  const later = `{"a_field_of_a_later_version":"${'x'.repeat(150)}",${code.slice(1)}`
  assert.deepEqual(loadOf([later]), loadOf([code]))
  assert.deepEqual(loadOf([code, qrPayload({ ...login, password: '', tls: false, port: 1883 })]), [
    `192.168.1.10|8883|kitchen|kitchen|${login.password}|1`,
    '192.168.1.10|1883|kitchen|kitchen||0',
  ])
  const wrong = [
    'WIFI:S:home;;',
    '{}',
    code.replace('"qs":1', '"qs":2'),
    code.replace('8883', '88830'),
    code.replace('192.168.1.10', 'h'.repeat(64)),
    // Every part of it.
    ...Array.from({ length: code.length - 1 }, (_, length) => code.slice(0, length + 1)),
  ]
  assert.deepEqual(new Set(loadOf(wrong)), new Set(['none']))
})
