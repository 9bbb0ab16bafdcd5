import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { before, type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { freePort } from '../packages/ingester/test/support/free-port.ts'
import { until } from '../packages/ingester/test/support/until.ts'

const run = promisify(execFile)
const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly version: string }
const folder = mkdtempSync(join(tmpdir(), 'qs-pack-'))
const tarball = join(folder, `qs-telemetry-${version}.tgz`)

before(() => run(process.execPath, ['scripts/pack.mjs', folder]))

test('the package holds the licence, the readme and what was built, and nothing of sources and tests', async (t) => {
  t.after(() => rmSync(join(folder, 'package'), { recursive: true, force: true }))
  const { stdout } = await run('tar', ['-tzf', tarball])
  const files = stdout.trim().split('\n')
  for (const file of [
    'LICENSE',
    'README.md',
    'packages/ingester/dist/cli/main.js',
    'packages/ingester/migrations/grants.sql',
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
  assert.deepEqual(third, [], 'packages of others come from the registry')
})

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
    const response = await fetch(`http://127.0.0.1:${http}${path}`).catch(() => null)
    return response?.ok && response.text()
  }
  await until(() => answer('/readyz'), `qs up is ready:\n${up.output()}`, 480_000)
  const page = await until(() => answer('/'), 'the console answers', 60_000)
  assert.match(page, /<title>/)
})

/** npm installs the package and its dependencies into a cache of its own, so nothing of this repository is found. */
function startNpx(t: TestContext, args: readonly string[], settings: Readonly<Record<string, string>>) {
  const cwd = mkdtempSync(join(tmpdir(), 'qs-npx-'))
  const { PATH, HOME } = process.env
  // A group of its own: npx starts a shell, and that the command.
  const child = spawn('npx', ['--yes', tarball, ...args], {
    cwd,
    env: { PATH, HOME, ...settings },
    detached: true,
  })
  const output: Buffer[] = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => output.push(chunk))
  const closed = once(child, 'close')
  const ended = () => child.exitCode !== null || child.signalCode !== null
  t.after(async () => {
    if (!ended()) process.kill(-Number(child.pid), 'SIGTERM')
    await closed
    for (const each of [cwd, folder]) rmSync(each, { recursive: true, force: true })
  })
  return { ended, output: () => Buffer.concat(output).toString() }
}
