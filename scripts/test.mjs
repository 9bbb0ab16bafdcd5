// npm test: the test files of the packages, deploy, regression and bench, against one PostgreSQL that is started once.
// npm run test:long: those of the folders of LONG, which npm test leaves out.
// With other arguments: all files whose path contains one of them, as in `npm test -- decode`.
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundleTests } from './bundle-tests.mjs'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))

/** Files of a folder that run in one process. */
const GROUP = 8

/** Their tests start whole programs, a browser, a compiler or many servers: four fifths of the time of all. */
const LONG = [
  'deploy/grafana/test/',
  'device/test/',
  'packages/console/test/',
  'packages/qs/test/alerts/',
  'packages/qs/test/app/',
  'packages/qs/test/attack/',
  'packages/qs/test/backup/',
  'packages/qs/test/cli/',
  'packages/qs/test/cold/',
  'packages/qs/test/console/',
  'packages/qs/test/embedded/postgres/',
  'packages/qs/test/examples/',
  'packages/qs/test/import/',
  'packages/qs/test/parity/',
  'packages/qs/test/segments/',
  'packages/qs/test/service/',
]

/** Groups with these files start first: they take minutes, most of which they wait. */
const LONGEST = [
  'attack/run-attacks',
  'test/cli/up.test',
  'broker/deaf-clients',
  'cli/verify-faults',
  'process/console-memory',
  'backup/backup',
  'packages/console/test/',
  'grafana/test/alerts',
  'device/test/',
]

const isLong = process.argv[2] === '--long'
const wanted = process.argv.slice(isLong ? 3 : 2)
const folders = [
  ...readdirSync('packages')
    .map((name) => join('packages', name, 'test'))
    .filter(existsSync),
  'deploy/grafana/test',
  'device/test',
  // By name only: it needs Grafana's libraries, which npm run test:grafana installs.
  ...(wanted.includes('grafana/library') ? ['deploy/grafana/library'] : []),
  'regression',
  'bench',
]
const files = folders
  .flatMap(listTests)
  .filter((file) =>
    wanted.length === 0
      ? LONG.some((folder) => file.startsWith(folder)) === isLong
      : wanted.some((part) => file.includes(part)),
  )
if (files.length === 0) {
  console.error(`error: no test file matches ${wanted.join(', ')}`)
  process.exit(2)
}

mkdirSync('.tests', { recursive: true })
const directory = mkdtempSync('.tests/')
process.on('exit', () => rmSync(directory, { recursive: true, force: true }))
const bundles = await bundleTests('scripts/test-run.ts', groupFiles(files), directory)
const child = spawn(process.execPath, bundles, { stdio: 'inherit' })
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
child.on('exit', (code) => process.exit(code ?? 1))

function listTests(directory) {
  return readdirSync(directory, { recursive: true })
    .map((name) => join(directory, String(name)))
    .filter((path) => path.endsWith('.test.ts') && !path.includes('node_modules'))
    .sort()
}

/**
 * Files of one folder, a few at a time: each group runs in its own process, which loads what they share once. Neighbours
 * go to different groups, since they take about as long as each other.
 */
function groupFiles(files) {
  const folders = new Map()
  for (const file of files) folders.set(dirname(file), [...(folders.get(dirname(file)) ?? []), file])
  const groups = [...folders].flatMap(([folder, inFolder]) => {
    const count = Math.ceil(inFolder.length / GROUP)
    return Array.from({ length: count }, (_, group) => [
      `${folder}/group-${group + 1}.test`,
      inFolder.filter((_, index) => index % count === group),
    ])
  })
  const rank = ([, inGroup]) => {
    const place = LONGEST.findIndex((part) => inGroup.some((file) => file.includes(part)))
    return place < 0 ? LONGEST.length : place
  }
  groups.sort((one, other) => rank(one) - rank(other))
  // The test runner starts them in the order of their paths.
  return Object.fromEntries(
    groups.map(([name, inGroup], index) => [`${String(index).padStart(3, '0')}/${name}`, inGroup]),
  )
}
