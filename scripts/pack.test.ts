import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { before, type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { freePort } from '@qs-telemetry/testing/free-port.ts'
import { until } from '@qs-telemetry/testing/until.ts'

const run = promisify(execFile)
const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly version: string }
const folder = mkdtempSync(join(tmpdir(), 'qs-pack-'))
const tarball = join(folder, `qs-telemetry-${version}.tgz`)

before(() => run(process.execPath, ['scripts/pack.mjs', folder]))

test('the package has the licence, the readme and the build, but no sources and tests', async () => {
  const { stdout } = await run('tar', ['-tzf', tarball])
  const files = stdout.trim().split('\n')
  for (const file of [
    'LICENSE',
    'README.md',
    'packages/qs/dist/cli/main.js',
    'packages/qs/migrations/grants.sql',
    'packages/console/dist/index.html',
    'node_modules/@qs-telemetry/protocol/dist/index.js',
    'node_modules/@qs-telemetry/device/dist/index.js',
  ]) {
    assert.ok(files.includes(`package/${file}`), `${file} is missing`)
  }
  assert.deepEqual(
    files.filter((file) => /\.(ts|map|svelte)$|\/(src|test)\/|\.test\./.test(file)),
    [],
  )
  const third = files.filter((file) => /node_modules\/(?!@qs-telemetry\/)/.test(file))
  assert.deepEqual(third, [], 'third-party packages come from the registry')
})

/** Other clients get a list of addresses as text. */
const asBrowser = { headers: { accept: 'text/html' } }

test('npx runs qs up from the package in an empty folder', async (t) => {
  const http = await freePort()
  const up = startNpx(t, ['up'], {
    HTTP_PORT: String(http),
    MQTT_PORT: String(await freePort()),
    MQTT_WS_PORT: String(await freePort()),
    POSTGRES_PORT: String(await freePort()),
  })
  const answer = async (path: string) => {
    if (up.ended()) throw new Error(`npx ended:\n${up.output()}`)
    const response = await fetch(`http://127.0.0.1:${http}${path}`, asBrowser).catch(() => null)
    return response?.ok ? response.text() : null
  }
  await until(() => answer('/readyz'), `qs up is ready:\n${up.output()}`, 480_000)
  const page = await until(() => answer('/'), 'the console answers', 60_000)
  assert.match(page, /<title>/)
})

/**
 * With a separate cache: npx caches installed packages by path, and would run an old one. With a separate process group
 * too: npx starts a shell, which starts the command.
 */
function startNpx(t: TestContext, args: readonly string[], settings: Readonly<Record<string, string>>) {
  const cwd = join(folder, 'empty')
  mkdirSync(cwd)
  copyFileSync(tarball, join(cwd, basename(tarball)))
  const { PATH, HOME } = process.env
  const child = spawn('npx', ['--yes', `./${basename(tarball)}`, ...args], {
    cwd,
    env: { PATH, HOME, npm_config_cache: join(folder, 'cache'), ...settings },
    detached: true,
  })
  const output: Buffer[] = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => output.push(chunk))
  const closed = once(child, 'close')
  const ended = () => child.exitCode !== null || child.signalCode !== null
  t.after(async () => {
    if (!ended()) process.kill(-Number(child.pid), 'SIGTERM')
    await closed
    rmSync(folder, { recursive: true, force: true })
  })
  return { ended, output: () => Buffer.concat(output).toString() }
}
