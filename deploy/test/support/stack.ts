import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parseEnv, promisify } from 'node:util'
import { freePort } from '@qs-telemetry/testing/free-port.ts'
import { until } from '@qs-telemetry/testing/until.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

/** `docker compose`, or `docker-compose` if only that is installed; scripts/test-compose.mjs finds out. */
const [COMPOSE = 'docker', ...COMPOSE_ARGS] = (process.env.QS_COMPOSE ?? 'docker compose').split(' ')

interface Ports {
  readonly mqtt: number
  readonly ws: number
  readonly mqtts: number
  readonly wss: number
  readonly http: number
  readonly grafana: number
}

export interface DeviceLogin {
  readonly username: string
  readonly password: string
  readonly client_id: string
}

/** What `docker inspect` says of a container: the part that the tests read. */
export interface Inspected {
  readonly Name: string
  readonly Config: { readonly User: string; readonly Labels: Readonly<Record<string, string>> }
  readonly HostConfig: {
    readonly ReadonlyRootfs: boolean
    readonly CapDrop: readonly string[]
    readonly Memory: number
    readonly PidsLimit: number
    readonly SecurityOpt: readonly string[]
    readonly LogConfig: { readonly Config: Readonly<Record<string, string>> }
    readonly PortBindings: Readonly<Record<string, readonly { readonly HostIp: string }[]>>
  }
  readonly State: { readonly Health?: { readonly Status: string } }
}

export interface StackOptions {
  /** Lines of .env in addition to the ports and what setup.sh writes. */
  readonly env?: Readonly<Record<string, string>>
  /** Further compose files, by absolute path. */
  readonly files?: readonly string[]
}

/** The composed stack as unpacked by a user into its own folder, with free ports. */
export class Stack {
  readonly directory: string
  readonly ports: Ports
  #files: readonly string[]

  private constructor(directory: string, ports: Ports, files: readonly string[]) {
    this.directory = directory
    this.ports = ports
    this.#files = files
  }

  /** Sets it up without a start. It is stopped and removed, with its volumes, after the test. */
  static async create(t: TestContext, { env = {}, files = [] }: StackOptions = {}): Promise<Stack> {
    const directory = mkdtempSync(join(tmpdir(), 'qs-compose-'))
    for (const name of ['compose.yaml', 'compose.tls.yaml', 'compose.direct.yaml', 'deploy']) {
      cpSync(join(ROOT, name), join(directory, name), { recursive: true })
    }
    const ports: Ports = {
      mqtt: await freePort(),
      ws: await freePort(),
      mqtts: await freePort(),
      wss: await freePort(),
      http: await freePort(),
      grafana: await freePort(),
    }
    const stack = new Stack(directory, ports, files)
    await stack.run('./deploy/setup.sh')
    stack.configure({
      COMPOSE_PROJECT_NAME: `qs-test-${ports.mqtt}`,
      QS_VERSION: 'test',
      MQTT_BIND: '127.0.0.1',
      MQTT_TLS_BIND: '127.0.0.1',
      MQTT_PORT: String(ports.mqtt),
      MQTT_WS_PORT: String(ports.ws),
      MQTT_TLS_PORT: String(ports.mqtts),
      MQTT_WSS_PORT: String(ports.wss),
      HTTP_PORT: String(ports.http),
      GRAFANA_PORT: String(ports.grafana),
      // Each `up` waits one interval for the first checks: 15 s by default.
      HEALTH_INTERVAL: '5s',
      ...env,
    })
    t.after(async () => {
      await stack.compose('--profile', 'tools', 'down', '--volumes', '--timeout', '5').catch(() => {})
      rmSync(directory, { recursive: true, force: true })
    })
    return stack
  }

  /** Sets it up and starts it, until it is ready for events. */
  static async start(t: TestContext, options: StackOptions = {}): Promise<Stack> {
    const stack = await Stack.create(t, options)
    await stack.up()
    return stack
  }

  /** .env, as it is now. */
  get env(): Readonly<Record<string, string>> {
    return parseEnv(readFileSync(join(this.directory, '.env'), 'utf8')) as Record<string, string>
  }

  get mqttUrl(): string {
    return `mqtt://127.0.0.1:${this.ports.mqtt}`
  }

  /** Adds lines to .env; a later one wins. */
  configure(lines: Readonly<Record<string, string>>): void {
    const text = Object.entries(lines).map(([name, value]) => `${name}=${value}\n`)
    writeFileSync(join(this.directory, '.env'), text.join(''), { flag: 'a' })
  }

  /** Replaces the further compose files. */
  useFiles(files: readonly string[]): void {
    this.#files = files
  }

  /** `docker compose up -d`, until events become rows. */
  async up(): Promise<void> {
    await this.compose('up', '--detach')
    await until(() => this.isReady(), 'the ingester is ready', 60_000)
  }

  /** @returns standard output; @throws with standard error */
  async compose(...args: readonly string[]): Promise<string> {
    const files =
      this.#files.length === 0 ? [] : ['compose.yaml', ...this.#files].flatMap((file) => ['-f', file])
    return this.run(COMPOSE, ...COMPOSE_ARGS, ...files, ...args)
  }

  async run(program: string, ...args: readonly string[]): Promise<string> {
    const { stdout } = await promisify(execFile)(program, args, {
      cwd: this.directory,
      timeout: 300_000,
      maxBuffer: 64 * 1024 ** 2,
    })
    return stdout
  }

  /** One row per line, columns separated by |. The owner of the database sees all rows, but not all connections. */
  async sql(statement: string, role: 'qs' | 'postgres' = 'qs'): Promise<string> {
    const output = await this.compose(
      'exec',
      '-T',
      'postgres',
      'psql',
      '-U',
      role,
      '-d',
      'qs',
      '-XAtc',
      statement,
    )
    return output.trim()
  }

  /** The command `qs` of the stack. */
  async qs(...args: readonly string[]): Promise<string> {
    return this.compose('run', '--rm', '-T', 'qs', ...args)
  }

  async addDevice(deviceId: string): Promise<DeviceLogin> {
    const added = JSON.parse(await this.qs('device', 'add', deviceId, '--json')) as DeviceLogin
    const { username, password, client_id } = added
    return { username, password, client_id }
  }

  /** What Docker knows of each running container of the stack. */
  async inspect(): Promise<readonly Inspected[]> {
    const filter = `label=com.docker.compose.project=${this.env.COMPOSE_PROJECT_NAME}`
    const ids = (await this.run('docker', 'ps', '-q', '--filter', filter)).trim().split('\n')
    return JSON.parse(await this.run('docker', 'inspect', ...ids)) as Inspected[]
  }

  /**
   * Waits until exactly these services have a health check and pass it.
   *
   * @throws with the state of each container and the output of its last check
   */
  async healthy(...services: readonly string[]): Promise<void> {
    let checked: readonly Inspected[] = []
    const areHealthy = async () => {
      checked = (await this.inspect()).filter(({ State }) => State.Health !== undefined)
      return checked.every(({ State }) => State.Health?.Status === 'healthy')
    }
    // Beside all other tests, the first checks of a stack take minutes.
    await until(areHealthy, `${services.join(', ')} are healthy`, 240_000).catch((error: Error) => {
      const states = checked.map(({ Name, State }) => `${Name}: ${JSON.stringify(State)}`)
      throw new Error(`${error.message}\n${states.join('\n')}`)
    })
    const names = checked.map(({ Config }) => Config.Labels['com.docker.compose.service'])
    assert.deepEqual(names.sort(), [...services].sort())
  }

  /** Without fetch: in Node 20 it may never settle, with nothing held open, while a container is starting. */
  isReady(): Promise<boolean> {
    return new Promise((resolve) => {
      const request = get({ port: this.ports.http, path: '/readyz', agent: false, timeout: 5_000 })
      request.once('timeout', () => request.destroy())
      request.once('error', () => resolve(false))
      request.once('response', (response) => {
        response.resume()
        resolve(response.statusCode === 200)
      })
    })
  }
}
