import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readVariable } from '../config/environment.ts'
import { QsError } from '../errors/qs-error.ts'
import type { InstallOptions } from './service-plan.ts'

const UNIT = 'qs.service'

/** The states of systemd that `qs service status` shows, by their names there. */
const PROPERTIES = [
  'ActiveState',
  'SubState',
  'UnitFileState',
  'ActiveEnterTimestamp',
  'NRestarts',
  'MemoryCurrent',
] as const

export type UnitState = Readonly<Record<(typeof PROPERTIES)[number], string>>

export interface Installed extends InstallOptions {
  /** The program that it runs: …/bin/qs.js */
  readonly script: string
}

/** The unit of the service, through systemctl. */
export class Systemd {
  readonly #unitFile: string
  readonly #systemctl: string

  constructor(folder = '/etc/systemd/system', systemctl = 'systemctl') {
    this.#unitFile = join(folder, UNIT)
    this.#systemctl = systemctl
  }

  get unitFile(): string {
    return this.#unitFile
  }

  /** @throws QsError if systemd does not run this machine (sd_booted(3)) */
  check(): void {
    if (!existsSync('/run/systemd/system'))
      throw new QsError('NO_SYSTEMD', 'systemd does not run on this machine')
  }

  /** null: the service is not installed. */
  installed(): Installed | null {
    if (!existsSync(this.#unitFile)) return null
    const text = readFileSync(this.#unitFile, 'utf8')
    const value = (name: string) =>
      new RegExp(`^${name}=(.*)$`, 'm').exec(text)?.[1]?.replaceAll('%%', '%') ?? ''
    return {
      ...{ user: value('User'), folder: value('WorkingDirectory'), memoryMax: value('MemoryMax') },
      upOptions: value('X-Up-Options').split(' ').filter(Boolean),
      script: value('X-Program'),
    }
  }

  /** Replaces the unit as a whole, then starts it, or restarts it if it runs; also at every boot. */
  start(unit: string): void {
    const draft = `${this.#unitFile}.new`
    writeFileSync(draft, unit, { mode: 0o644 })
    renameSync(draft, this.#unitFile)
    this.#run('daemon-reload')
    this.#run('enable', UNIT)
    this.#run('restart', UNIT)
  }

  remove(): void {
    this.#run('disable', '--now', UNIT)
    rmSync(this.#unitFile, { force: true })
    this.#run('daemon-reload')
  }

  state(): UnitState {
    const lines = this.#run('show', UNIT, `--property=${PROPERTIES.join(',')}`).split('\n')
    const found = new Map(lines.map((line) => [line.split('=', 1)[0], line.slice(line.indexOf('=') + 1)]))
    return Object.fromEntries(PROPERTIES.map((name) => [name, found.get(name) ?? ''])) as UnitState
  }

  #run(...args: readonly string[]): string {
    // UTC, since JavaScript reads no other abbreviation.
    const env = { PATH: readVariable('PATH') ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' }
    const { status, stdout, stderr, error } = spawnSync(this.#systemctl, args, { encoding: 'utf8', env })
    if (status === 0) return stdout
    const reason = error?.message ?? stderr.trim()
    throw new QsError('SYSTEMD_REFUSED', `systemctl ${args.join(' ')} failed: ${reason}`)
  }
}
