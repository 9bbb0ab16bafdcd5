// npm run check: everything that can be said about the code without running it.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))

const CHECKS = [
  ['types', 'tsc -b'],
  ['types of tests, bench and scripts', 'tsc -p tsconfig.tests.json'],
  [
    'types of the console',
    'svelte-check --workspace packages/console --tsconfig tsconfig.json --fail-on-warnings',
  ],
  ['format and lint', 'biome ci .'],
  [
    'who imports whom',
    'depcruise --config .dependency-cruiser.cjs --output-type err packages/protocol/src packages/device/src packages/ingester/src packages/console/src regression',
  ],
  ['unused files, exports, packages', 'knip'],
  ['generated files are up to date', 'node --import tsx --conditions=source scripts/generate.ts --check'],
]

const failed = []
for (const [name, command] of CHECKS) {
  const [program, ...args] = command.split(' ')
  const start = performance.now()
  const npx = program === 'node' ? [process.execPath, ...args] : ['npx', '--no-install', program, ...args]
  const { status } = spawnSync(npx[0], npx.slice(1), { stdio: 'inherit' })
  console.log(
    `${status === 0 ? 'ok    ' : 'FAILED'} ${name} (${((performance.now() - start) / 1000).toFixed(1)} s)`,
  )
  if (status !== 0) failed.push(name)
}
if (failed.length > 0) {
  console.error(`\nerror: ${failed.length} of ${CHECKS.length} checks failed: ${failed.join(', ')}`)
  process.exit(1)
}
