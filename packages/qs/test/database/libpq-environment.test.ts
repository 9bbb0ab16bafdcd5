import assert from 'node:assert/strict'
import { test } from 'node:test'
import { libpqEnvironment } from '../../src/database/libpq-environment.ts'

const BASE = {
  PGHOST: 'db',
  PGPORT: '5432',
  PGUSER: 'qs',
  PGPASSWORD: "p'@/ä",
  PGDATABASE: 'qs',
  PGCONNECT_TIMEOUT: '10',
}

test('pg_dump trusts the same certificates as the ingester', () => {
  const url = "postgresql://qs:p'%40%2F%C3%A4@db/qs"
  const cases: readonly [string, object][] = [
    ['', {}],
    ['?sslmode=disable', { PGSSLMODE: 'disable' }],
    ['?sslmode=no-verify', { PGSSLMODE: 'require' }],
    ['?sslmode=verify-full&sslrootcert=/ca.pem', { PGSSLMODE: 'verify-full', PGSSLROOTCERT: '/ca.pem' }],
    ['?sslrootcert=/ca.pem', { PGSSLMODE: 'verify-full', PGSSLROOTCERT: '/ca.pem' }],
    // pg treats them as verify-full, with the authorities of Node.
    ['?sslmode=require', { PGSSLMODE: 'verify-full', PGSSLROOTCERT: 'system' }],
    ['?ssl=true', { PGSSLMODE: 'verify-full', PGSSLROOTCERT: 'system' }],
    ['?sslmode=require&uselibpqcompat=true', { PGSSLMODE: 'require' }],
  ]
  for (const [parameters, more] of cases)
    assert.deepEqual(libpqEnvironment(url + parameters), { ...BASE, ...more }, parameters)
  assert.equal(libpqEnvironment('postgresql://qs@[::1]:5433/qs').PGHOST, '::1')
})
