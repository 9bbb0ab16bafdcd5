// npm test: every test file of the packages, deploy, regression and bench, against one PostgreSQL that is started once.
// With arguments: only the files whose path contains one of them, as in `npm test -- decode`.
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundleTests } from './bundle-tests.mjs'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))

/** Files of a folder that run in one process. */
const GROUP = 8

const wanted = process.argv.slice(2)
const folders = [
  ...readdirSync('packages')
    .map((name) => join('packages', name, 'test'))
    .filter(existsSync),
  'deploy/grafana/test',
  // By name only: it needs Grafana's libraries, which npm run test:grafana installs.
  ...(wanted.includes('grafana/library') ? ['deploy/grafana/library'] : []),
  'regression',
  'bench',
]
const files = folders
  .flatMap(listTests)
  .filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)))
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

/** Files of one folder, a few at a time: each group runs in its own process, which loads what they share once. */
function groupFiles(files) {
  const groups = new Map()
  for (const file of files) {
    const folder = dirname(file)
    const [last] = groups.get(folder)?.slice(-1) ?? []
    if (last === undefined || last.length === GROUP)
      groups.set(folder, [...(groups.get(folder) ?? []), [file]])
    else last.push(file)
  }
  return Object.fromEntries(
    [...groups].flatMap(([folder, lists]) =>
      lists.map((list, index) => [`${folder}/group-${index + 1}.test`, list]),
    ),
  )
}
