// Before npm start, npm test and npm run bench: installs what is missing and builds what has changed. Plain
// JavaScript without imports of packages, since on a fresh clone there are none yet.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
process.chdir(root)

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 12)) {
  console.error(
    `error: qs-telemetry needs Node 20.12 or newer, this is ${process.versions.node}. See https://nodejs.org`,
  )
  process.exit(1)
}

function run(what, command, args) {
  console.error(what)
  try {
    execFileSync(command, args, { stdio: ['ignore', 2, 2], shell: process.platform === 'win32' })
  } catch {
    console.error(`error: "${command} ${args.join(' ')}" failed; its output above says why`)
    process.exit(1)
  }
}

/** What was installed last, by the content of the lock file; kept where `npm ci` removes it. */
const installed = 'node_modules/.installed'
const lock = createHash('sha256').update(readFileSync('package-lock.json')).digest('hex')
if (!existsSync(installed) || readFileSync(installed, 'utf8') !== lock) {
  run('Installing packages, once (about half a minute) …', 'npm', [
    'ci',
    '--no-audit',
    '--no-fund',
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

/** When the last build began: a file that is saved meanwhile is newer. */
const built = 'node_modules/.built'
const builtMs =
  existsSync(built) && existsSync('packages/ingester/dist/cli/main.js') ? statSync(built).mtimeMs : 0
const sources = readdirSync('packages').map((name) => join('packages', name, 'src'))
const changedMs = Math.max(
  ...sources.map(newest),
  statSync('tsconfig.base.json').mtimeMs,
  statSync(installed).mtimeMs,
)
if (changedMs > builtMs) {
  const begin = new Date()
  run('Building …', process.execPath, ['node_modules/typescript/bin/tsc', '-b'])
  writeFileSync(built, begin.toISOString())
}
