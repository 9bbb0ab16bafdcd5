import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { leash } from '@qs-telemetry/testing/leash.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import { lanText } from '../../src/cli/up.ts'
import { loadConfig } from '../../src/config/load.ts'
import { temporaryDirectory } from '../embedded/postgres/data-directory.ts'

const QS = fileURLToPath(new URL('../../bin/qs.js', import.meta.url))
/** A network of its own, in which nothing but this test reaches what listens on all addresses. */
const ALONE = ['--net', '--fork', '--kill-child', 'sh', '-c', 'ip link set lo up && exec "$0" "$@"']
const hasNetworks = spawnSync('unshare', [...ALONE, 'true']).status === 0

function start(
  t: TestContext,
  dataDir: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
) {
  const child = spawn('unshare', [...ALONE, QS, 'up', ...args], {
    env: { PATH: process.env.PATH ?? '', QS_DATA_DIR: dataDir, ...env },
    stdio: 'pipe',
  })
  leash(child)
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
  /** unshare has one child, which becomes qs. */
  const inner = () => Number(spawnSync('pgrep', ['--parent', String(child.pid)], { encoding: 'utf8' }).stdout)
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'close')
    process.kill(inner(), 'SIGTERM')
    await ended
  }
  t.after(stop)
  /** In the network of this qs up. */
  const inside = (command: string, ...more: readonly string[]) =>
    spawnSync('nsenter', ['--target', String(inner()), '--net', command, ...more], {
      env: { PATH: process.env.PATH ?? '', QS_DATA_DIR: dataDir },
      encoding: 'utf8',
    })
  return { inside, stop, output: () => output }
}

const STATUS = 'fetch("http://127.0.0.1:8080/api/overview").then((r) => console.log(r.status))'

test('--lan needs no setting: it makes passwords, commands here use them, and the console has its login', {
  skip: !hasNetworks && 'needs root, for a network namespace',
}, async (t) => {
  const dataDir = join(temporaryDirectory(t), 'data')
  const first = start(t, dataDir, ['--lan'], {})
  await until(() => first.output().includes('is running'), 'the welcome', 120_000)
  const file = join(dataDir, 'lan.env')
  const lines = readFileSync(file, 'utf8')
  assert.ok(first.output().includes(`New passwords are in ${file}`), first.output())
  assert.ok(first.output().includes(`-u 'operator' -P "$(sed -n 's/^MQTT_PASSWORD=//p' '${file}')"`))
  const published = first.inside(QS, 'publish', '--device', 'd', '--type', 't', '--value', '1')
  assert.match(published.stdout, /^stored /, published.stderr)
  const anonymous = ['publish', '--device', 'd', '--type', 't', '--value', '1']
  const refused = first.inside('env', 'QS_DATA_DIR=/nowhere', QS, ...anonymous)
  assert.match(refused.stderr, /BROKER_LOGIN_REFUSED/)
  assert.equal(first.inside(process.execPath, '-e', STATUS).stdout, '401\n')
  assert.match(first.inside('ss', '--listening', '--tcp', '--numeric').stdout, /0\.0\.0\.0:8080/)
  const added = first.inside(QS, 'device', 'add', 'kitchen')
  assert.equal(added.status, 0, added.stderr)
  await t.test('it makes a certificate, which boards pin', () => {
    const secure = first.inside(QS, 'device', 'add', 'cellar', '--tls', '--json')
    const { url } = JSON.parse(secure.stdout) as { url: string }
    assert.match(url, /^mqtts:\/\/.*:8883$/)
    assert.match(added.stdout, / mqtt:\/\/.*:1883/, 'boards without TLS stay the default')
    const login = lines.match(/^MQTT_(USERNAME|PASSWORD)=.*/gm) ?? []
    const authority = `MQTT_CA_FILE=${join(dataDir, 'tls/ca.crt')}`
    const over = (...env: readonly string[]) =>
      first.inside('env', ...env, ...login, 'MQTT_URL=mqtts://127.0.0.1:8883', QS, ...anonymous)
    assert.match(over(authority).stdout, /^stored /)
    assert.notEqual(over().status, 0, 'without its authority it is not trusted')
    assert.match(first.inside('ss', '--listening', '--tcp', '--numeric').stdout, /0\.0\.0\.0:8883/)
    assert.ok(first.output().includes('qs device add kitchen --tls'), first.output())
  })
  await first.stop()

  // npm start --lan
  rmSync(join(dataDir, 'tls'), { recursive: true })
  const second = start(t, dataDir, ['--no-certificate'], { npm_config_lan: 'true' })
  await until(() => second.output().includes('is running'), 'the welcome', 120_000)
  assert.match(second.inside('ss', '--listening', '--tcp', '--numeric').stdout, /0\.0\.0\.0:1883/)
  assert.equal(readFileSync(file, 'utf8'), lines, 'the passwords stay')
  assert.ok(!existsSync(join(dataDir, 'tls')))
  await second.stop()
  const output = first.output() + second.output()
  for (const line of lines.split('\n').filter((each) => each.includes('PASSWORD=')))
    assert.ok(!output.includes(line.split('=')[1] ?? ''), 'no password in a log')
})

test('a name that the network resolves is named, and so is the port of TLS', (t) => {
  const config = loadConfig({ HTTP_HOST: '0.0.0.0', QS_DATA_DIR: temporaryDirectory(t) })
  const shown = { config, consoleUrl: '', made: [], tlsOnly: false, isTerminal: false }
  assert.match(lanText({ ...shown, name: 'nas.local' }), /http:\/\/nas\.local:8080/)
  assert.doesNotMatch(lanText({ ...shown, name: null }), /\.local|TLS|8883/)
  assert.match(lanText({ ...shown, name: null }), /firewall: 1883, 8080/)
  // Without TLS only this machine can connect.
  assert.match(lanText({ ...shown, name: null, tlsOnly: true }), /firewall: 8080/)
})

test('a terminal shows new passwords and a QR code of the console, a log does not', () => {
  const made = ['MQTT_PASSWORD=just-made']
  const shown = {
    config: loadConfig({ HTTP_HOST: '0.0.0.0' }),
    consoleUrl: 'http://10.0.0.2:8080',
    made,
    name: null,
    tlsOnly: false,
  }
  assert.match(lanText({ ...shown, isTerminal: true }), /just-made.*█/s)
  assert.doesNotMatch(lanText({ ...shown, isTerminal: false }), /just-made|█/)
  const closed = { ...shown, config: loadConfig({ HTTP_HOST: '127.0.0.1' }) }
  assert.doesNotMatch(lanText({ ...closed, isTerminal: true }), /█/)
})
