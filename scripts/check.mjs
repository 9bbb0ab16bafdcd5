// npm run check: everything that can be checked without running the code. The checks run in parallel, one per core, the
// longest first, and cache their results for unchanged files in node_modules/.cache.
import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { delimiter, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))

/** By its path: svelte-check needs the API of TypeScript 6, which has a `tsc` as well. */
const TSC = 'node node_modules/@typescript/native/bin/tsc'

const CHECKS = [
  ['types of tests, bench and scripts', `${TSC} -p tsconfig.tests.json`],
  [
    'types of the console',
    'svelte-check --workspace packages/console --tsconfig tsconfig.json --fail-on-warnings --tsgo',
  ],
  ['types', `${TSC} -b`],
  ['imports between folders', 'node --import tsx scripts/imports.ts --check'],
  ['format and lint', 'biome ci .'],
  ['unused files, exports, packages', 'knip --cache --cache-location node_modules/.cache/knip'],
  ['generated files are up to date', 'node --import tsx --conditions=source scripts/generate.ts --check'],
]

const env = { ...process.env, PATH: `${resolve('node_modules/.bin')}${delimiter}${process.env.PATH}` }

/** Resolves to the name of the check if it fails; its output appears at once when it ends. */
async function run([name, command]) {
  const start = performance.now()
  const output = []
  const child = spawn(command, { shell: true, env, stdio: ['ignore', 'pipe', 'pipe'] })
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => output.push(chunk))
  const status = await new Promise((done) => child.on('close', done))
  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  if (status !== 0) process.stdout.write(Buffer.concat(output))
  console.log(`${status === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)`)
  return status === 0 ? [] : [name]
}

const waiting = [...CHECKS]
async function runNext() {
  const failed = []
  for (let check = waiting.shift(); check !== undefined; check = waiting.shift()) {
    failed.push(...(await run(check)))
  }
  return failed
}
const failed = (await Promise.all(Array.from({ length: availableParallelism() }, runNext))).flat()
if (failed.length > 0) {
  console.error(`\nerror: ${failed.length} of ${CHECKS.length} checks failed: ${failed.join(', ')}`)
  process.exit(1)
}
