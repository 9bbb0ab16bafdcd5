import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'

const LOCKED = {
  '': { name: 'qs' },
  'packages/qs': { version: '1.0.0' },
  'node_modules/qs': { resolved: 'packages/qs', link: true },
  'node_modules/pg': { version: '8.0.0', integrity: 'sha512-pg' },
  'node_modules/postgres-here': { version: '18.0.0', optional: true, os: [process.platform] },
  'node_modules/postgres-elsewhere': { version: '18.0.0', optional: true, os: ['beos'] },
  'node_modules/native-musl': { version: '1.0.0', optional: true, os: [process.platform], libc: ['musl'] },
  'node_modules/wasm': { version: '1.0.0', optional: true },
}
const HERE = ['packages/qs', 'node_modules/qs', 'node_modules/pg', 'node_modules/postgres-here'] as const

/** What scripts/prepare.mjs finds in a folder where npm has listed these packages; null: npm has not been there. */
function isInstalled(t: TestContext, packages: object | null): boolean {
  const root = mkdtempSync(join(tmpdir(), 'qs-installed-'))
  t.after(() => rmSync(root, { recursive: true }))
  mkdirSync(join(root, 'node_modules'))
  writeFileSync(join(root, 'package-lock.json'), JSON.stringify({ packages: LOCKED }))
  if (packages !== null)
    writeFileSync(join(root, 'node_modules/.package-lock.json'), JSON.stringify({ packages }))
  const script = `import { packagesInstalled } from './scripts/packages-installed.mjs'
    console.log(packagesInstalled(process.argv[1]))`
  return (
    execFileSync(process.execPath, ['--input-type=module', '--eval', script, root], {
      encoding: 'utf8',
    }).trim() === 'true'
  )
}

const listed = (names: readonly (keyof typeof LOCKED)[]) =>
  Object.fromEntries(names.map((name) => [name, LOCKED[name]]))

test('after a plain npm ci nothing is installed again', (t) => {
  assert.equal(isInstalled(t, listed(HERE)), true)
})

test('a missing or another package is installed, also the optional one of this platform', (t) => {
  assert.equal(isInstalled(t, null), false)
  for (const missing of ['node_modules/pg', 'node_modules/postgres-here', 'node_modules/qs'] as const)
    assert.equal(isInstalled(t, listed(HERE.filter((name) => name !== missing))), false, missing)
  const other = { version: '8.0.0', integrity: 'sha512-other' }
  assert.equal(isInstalled(t, { ...listed(HERE), 'node_modules/pg': other }), false)
})
