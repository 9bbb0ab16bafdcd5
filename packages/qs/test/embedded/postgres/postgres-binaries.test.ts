import assert from 'node:assert/strict'
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { serverAccount } from '../../../src/embedded/postgres/postgres-account.ts'
import { postgresBinaries } from '../../../src/embedded/postgres/postgres-binaries.ts'
import { temporaryDirectory } from './data-directory.ts'

/** The package as unpacked by npm without its install script: no links. */
function unpacked(directory: string): string {
  const { postgres } = postgresBinaries({ account: null, systemDirectory: '' })
  const source = join(dirname(postgres), '..')
  const native = join(directory, 'native')
  cpSync(source, native, { recursive: true, verbatimSymlinks: true })
  copyFileSync(join(source, '..', 'package.json'), join(directory, 'package.json'))
  for (const { target } of links(native)) rmSync(join(directory, target))
  return native
}

function links(native: string): readonly { readonly target: string }[] {
  return JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8'))
}

test('links missing after an install without scripts are restored, and programs are made executable', (t) => {
  const native = unpacked(temporaryDirectory(t))
  chmodSync(join(native, 'bin', 'postgres'), 0o644)
  const binaries = postgresBinaries({ account: null, native, systemDirectory: '' })
  assert.equal(binaries.major, 18)
  assert.equal(binaries.postgres, join(native, 'bin', 'postgres'))
  for (const { target } of links(native)) assert.ok(lstatSync(join(native, '..', target)).isSymbolicLink())
  assert.deepEqual(postgresBinaries({ account: null, native, systemDirectory: '' }), binaries)
})

const notRoot = process.getuid?.() === 0 ? false : 'needs root'

test('root: a copy that the account can reach is made once', { skip: notRoot }, (t) => {
  const closed = temporaryDirectory(t)
  chmodSync(closed, 0o700)
  const native = unpacked(closed)
  const systemDirectory = join(temporaryDirectory(t), 'system')
  const account = serverAccount(join(closed, 'none'))
  const umask = process.umask(0o077)
  t.after(() => process.umask(umask))
  const first = postgresBinaries({ account, native, systemDirectory })
  assert.ok(first.postgres.startsWith(systemDirectory))
  const copied = lstatSync(first.postgres).ino
  assert.deepEqual(postgresBinaries({ account, native, systemDirectory }), first)
  assert.equal(lstatSync(first.postgres).ino, copied)
  assert.equal(readdirSync(systemDirectory).length, 1)
  assert.ok(existsSync(native))
})
