// Before npm start, npm test and npm run bench: installs what is missing and builds what has changed. Plain
// JavaScript without imports of packages, since a fresh clone has none yet.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { packagesInstalled } from './packages-installed.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
process.chdir(root)

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(
    `error: qs-telemetry needs Node 20.19 or newer, this is ${process.versions.node}. See https://nodejs.org`,
  )
  process.exit(1)
}

function run(what, command, args) {
  console.error(what)
  try {
    execFileSync(command, args, { stdio: ['ignore', 2, 2], shell: process.platform === 'win32' })
  } catch {
    console.error(`error: "${command} ${args.join(' ')}" failed; see its output above`)
    process.exit(1)
  }
}

/** Hash of the lock file of the last install; stored where `npm ci` removes it. */
const installed = 'node_modules/.installed'
const lock = createHash('sha256').update(readFileSync('package-lock.json')).digest('hex')
if (!existsSync(installed) || readFileSync(installed, 'utf8') !== lock) {
  // Somebody may have run `npm ci` without this script.
  if (!packagesInstalled('.'))
    run('Installing packages, once (about half a minute) …', 'npm', [
      'ci',
      '--no-audit',
      '--no-fund',
      // Fail here, and not later, if this Node cannot run a package.
      '--engine-strict',
      '--loglevel=error',
    ])
  writeFileSync(installed, lock)
}

function newest(directory) {
  return readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .reduce(
      (time, entry) => Math.max(time, statSync(join(entry.parentPath ?? entry.path, entry.name)).mtimeMs),
      0,
    )
}

/**
 * Builds if a source is newer than the last build. The stamp is the time at which that began, so a file saved meanwhile
 * is newer.
 */
function build(what, { stamp, result, changedMs, command }) {
  const builtMs = existsSync(stamp) && existsSync(result) ? statSync(stamp).mtimeMs : 0
  if (Math.max(changedMs, statSync(installed).mtimeMs) <= builtMs) return
  const begin = new Date()
  run(what, process.execPath, command)
  writeFileSync(stamp, begin.toISOString())
  utimesSync(stamp, begin, begin)
}

const programs = ['protocol', 'device', 'qs']
build('Building …', {
  stamp: 'node_modules/.built',
  result: 'packages/qs/dist/cli/main.js',
  changedMs: Math.max(
    ...programs.map((name) => newest(join('packages', name, 'src'))),
    statSync('tsconfig.base.json').mtimeMs,
  ),
  command: ['node_modules/@typescript/native/bin/tsc', '-b'],
})
build('Building the console …', {
  stamp: 'node_modules/.built-console',
  result: 'packages/console/dist/index.html',
  changedMs: Math.max(
    ...['src', 'public'].map((name) => newest(join('packages/console', name))),
    ...['index.html', 'vite.config.ts'].map((name) => statSync(join('packages/console', name)).mtimeMs),
  ),
  command: ['node_modules/vite/bin/vite.js', 'build', '--logLevel', 'warn', 'packages/console'],
})
