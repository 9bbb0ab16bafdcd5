import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { parseEnv } from 'node:util'
import { freePort } from '@qs-telemetry/testing/free-port.ts'
import { leash } from '@qs-telemetry/testing/leash.ts'
import { runQs } from '@qs-telemetry/testing/qs.ts'
import { session } from '@qs-telemetry/testing/roles.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import { connectAsync } from 'mqtt'
import { findAccount } from '../../src/embedded/postgres/postgres-account.ts'
import { embeddedDatabaseUrl } from '../../src/endpoints/embedded-database-url.ts'
import { installService } from '../../src/service/install.ts'
import { thisProgram } from '../../src/service/program.ts'
import { checkProgram } from '../../src/service/service-account.ts'
import { serviceStatus } from '../../src/service/status.ts'
import { Systemd } from '../../src/service/systemd.ts'
import { temporaryDirectory } from '../embedded/postgres/data-directory.ts'

const PASSWORD = 'never-in-the-log'
/** Root installs the service for another account; anyone else, in these tests, for their own. */
const USER = process.getuid?.() === 0 ? 'nobody' : userInfo().username

/** Why the account cannot run this clone, or false. */
function closed(): string | false {
  const account = findAccount(USER)
  if (account === null) return `there is no account ${USER}`
  try {
    checkProgram(thisProgram(), account)
    return false
  } catch (error) {
    return (error as Error).message
  }
}

/** systemctl logs its arguments; `show` prints what the file `state` holds. */
const SYSTEMCTL = `#!/bin/sh
echo "$*" >> "$(dirname "$0")/calls"
case $1 in show) cat "$(dirname "$0")/state" 2>/dev/null ;; esac
exit 0
`

async function machine(t: TestContext, settings: Readonly<Record<string, string>> = {}) {
  const place = temporaryDirectory(t)
  const systemctl = join(place, 'systemctl')
  writeFileSync(systemctl, SYSTEMCTL, { mode: 0o755 })
  const [mqtt, ws, http, postgres] = [await freePort(), await freePort(), await freePort(), await freePort()]
  const template = join(place, 'template')
  const lines = {
    ...{ MQTT_PORT: mqtt, MQTT_WS_PORT: ws, HTTP_PORT: http, POSTGRES_PORT: postgres },
    ...{ MQTT_USERNAME: 'qs', MQTT_PASSWORD: PASSWORD, ...settings },
  }
  writeFileSync(
    template,
    Object.entries(lines)
      .flatMap(([name, value]) => [`${name}=${value}\n`])
      .join(''),
  )
  const reported: string[] = []
  const folder = join(place, 'service')
  const systemd = new Systemd(place, systemctl)
  const options = {
    ...{ user: USER, folder, upOptions: [], memoryMax: '75%', backup: true, template, systemd },
    ...{ readyTimeoutMs: 120_000, report: (line: string) => reported.push(line) },
  }
  return { place, folder, systemd, options, reported, mqtt, postgres }
}

type Machine = Awaited<ReturnType<typeof machine>>

/** What systemd does with the unit: its command, its environment, its account. */
class Running {
  readonly #machine: Machine
  #child: ChildProcess | null = null
  output = ''

  constructor(t: TestContext, of: Machine) {
    this.#machine = of
    t.after(() => this.stop())
  }

  restarts(): number {
    return this.#calls().filter((call) => call === 'restart qs.service').length
  }

  async start(): Promise<void> {
    await this.stop()
    const unit = readFileSync(this.#machine.systemd.unitFile, 'utf8')
    const value = (name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(unit)?.[1] ?? ''
    const [command = '', ...args] = value('ExecStart').split(' ')
    const account = findAccount(value('User'))
    const child = spawn(command, args, {
      cwd: value('WorkingDirectory'),
      env: { PATH: '/usr/bin:/bin', ...parseEnv(readFileSync(value('EnvironmentFile'), 'utf8')) },
      ...(process.getuid?.() === 0 && account !== null && { uid: account.uid, gid: account.gid }),
      stdio: 'pipe',
    })
    leash(child)
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => {
        this.output += chunk.toString()
      })
    this.#child = child
    const state = `ActiveState=active\nSubState=running\nUnitFileState=enabled\nNRestarts=0\nMemoryCurrent=1000000\n`
    writeFileSync(
      join(this.#machine.place, 'state'),
      `${state}ActiveEnterTimestamp=Sun 2099-11-29 10:00:00 UTC\n`,
    )
  }

  async stop(): Promise<void> {
    const child = this.#child
    if (child === null || child.exitCode !== null) return
    const ended = once(child, 'close')
    child.kill('SIGTERM')
    assert.deepEqual(await ended, [0, null], this.output)
  }

  #calls(): readonly string[] {
    return readFileSync(join(this.#machine.place, 'calls'), { encoding: 'utf8', flag: 'a+' }).split('\n')
  }
}

async function publish({ mqtt }: Machine, id: string): Promise<void> {
  const login = { username: 'qs', password: PASSWORD, reconnectPeriod: 0 }
  const client = await connectAsync(`mqtt://127.0.0.1:${mqtt}`, login)
  const event = { schema: 1, event_id: id, device_id: 'd', event_type: 't', value: 1 }
  await client.publishAsync('qs/v1/d/events', JSON.stringify(event), { qos: 1 })
  await client.endAsync()
}

test('a service takes events as its account, and an upgrade keeps them and saves them before', {
  skip: closed(),
}, async (t) => {
  const here = await machine(t)
  const running = new Running(t, here)
  const install = async () => {
    const before = running.restarts()
    const installing = installService(here.options)
    // A failure before the restart must not be waited for.
    await Promise.race([until(() => running.restarts() > before, 'the restart', 120_000), installing])
    await running.start()
    await installing
  }
  const ids = async () => {
    const owner = await session(t, embeddedDatabaseUrl(join(here.folder, 'data'), here.postgres) as string)
    const { rows } = await owner.query<{ event_id: string }>('select event_id from events order by 1')
    return rows.map(({ event_id: id }) => id)
  }

  await install()
  await publish(here, 'a')
  assert.deepEqual(await ids(), ['a'])
  const owned = ['.env', 'data', 'data/postgres', 'data/postgres-password'].map((name) =>
    statSync(join(here.folder, name)),
  )
  assert.deepEqual(new Set(owned.map(({ uid }) => uid)), new Set([findAccount(USER)?.uid]))
  assert.equal((owned[0]?.mode ?? 0) & 0o777, 0o600)

  assert.equal((await serviceStatus(here.systemd)).backup?.newestMs, null)
  await install()
  assert.match(here.reported.at(-2) ?? '', /^backup +\/.*\/service\/backups\/qs-\d{8}T\d{6}Z\.json$/)
  await publish(here, 'b')
  assert.deepEqual(await ids(), ['a', 'b'])
  const { version, since, state, backup, readiness } = await serviceStatus(here.systemd)
  assert.match(version, /^\d+\.\d+\.\d+$/)
  assert.deepEqual([since?.getUTCFullYear(), state], [2099, 'active (running)'])
  assert.deepEqual(readiness, { ok: true, detail: 'events flow' })
  assert.ok(Date.now() - (backup?.newestMs ?? 0) < 120_000)
  assert.ok(!running.output.includes(PASSWORD), 'the log has no passwords')
  assert.ok(!readFileSync(here.systemd.unitFile, 'utf8').includes(PASSWORD), 'the unit has no passwords')
})

test('what keeps the service from starting is found before', { skip: closed() }, async (t) => {
  await t.test('a port in use', async () => {
    const taken = createServer()
    const port = await freePort()
    await new Promise<void>((listening) => taken.listen(port, '127.0.0.1', listening))
    t.after(() => taken.close())
    const { options, systemd } = await machine(t, { MQTT_PORT: String(port) })
    await assert.rejects(installService(options), (error: Error) => {
      assert.match(
        error.message,
        new RegExp(`Port ${port} on 127\\.0\\.0\\.1 cannot be used \\(MQTT_PORT\\)`),
      )
      return true
    })
    assert.equal(systemd.installed(), null)
  })
  await t.test('a wrong setting', async () => {
    const { options } = await machine(t, { BACKUP_EVRY: '24h' })
    await assert.rejects(installService(options), /BACKUP_EVRY .*did you mean BACKUP_EVERY/)
  })
  await t.test('data of another account', { skip: USER !== 'nobody' && 'needs root' }, async () => {
    const { options, folder } = await machine(t)
    mkdirSync(folder)
    const belongsTo = (path: string) =>
      new RegExp(`${path} belongs to the account with uid 0.*sudo chown -RH nobody: '.*${path}'`)
    await assert.rejects(installService(options), belongsTo('/service'))
    chownSync(folder, findAccount('nobody')?.uid ?? -1, -1)
    mkdirSync(join(folder, 'data'))
    await assert.rejects(installService(options), belongsTo('/service/data'))
  })
  await t.test('an account that cannot run the program', { skip: USER !== 'nobody' && 'needs root' }, (t) => {
    const place = temporaryDirectory(t)
    chmodSync(place, 0o700)
    writeFileSync(join(place, 'qs.js'), '')
    assert.throws(
      () => checkProgram([process.execPath, join(place, 'qs.js')], findAccount('nobody') ?? assert.fail()),
      /nobody cannot run .*qs\.js.*Move the program to where every account can read it, such as \/opt/s,
    )
  })
  await t.test('root as the account', async () => {
    const { options } = await machine(t)
    await assert.rejects(installService({ ...options, user: 'root' }), /does not run as root/)
  })
})

test('a backup that fails leaves the running service as it is', { skip: closed() }, async (t) => {
  const url = `postgresql://qs:secret@127.0.0.1:${await freePort()}/qs`
  const here = await machine(t, { DATABASE_URL: url })
  const { unitFile } = here.systemd
  const before = `WorkingDirectory=${here.folder}\n`
  mkdirSync(dirname(unitFile), { recursive: true })
  writeFileSync(unitFile, before)
  await assert.rejects(
    installService(here.options),
    /The backup before the upgrade failed.*DATABASE_UNREACHABLE.*--no-backup/s,
  )
  assert.equal(readFileSync(unitFile, 'utf8'), before)
})

test('without systemd the command says what to do, and prints it for cron and launchd', async (t) => {
  const cwd = temporaryDirectory(t)
  const { code, stderr } = await runQs(t, ['service', 'install', '--dry-run', '--print', 'windows'], { cwd })
  assert.equal(code, 2, stderr)
  const place = ['--user', 'me', '--folder', '.', '--lan']
  const cron = await runQs(t, ['service', 'install', '--print', 'cron', ...place], { cwd })
  assert.ok(cron.stdout.startsWith(`* * * * * cd ${cwd} && umask 077 && flock --nonblock`), cron.stdout)
  assert.match(cron.stdout, /bin\/qs\.js up --lan >> qs\.log 2>&1\n$/)
  const launchd = await runQs(t, ['service', 'install', '--print', 'launchd', ...place], { cwd })
  assert.match(launchd.stdout, /<key>UserName<\/key><string>me<\/string>/)
})
