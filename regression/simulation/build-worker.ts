import { mkdirSync, mkdtempSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Plugin } from 'esbuild'
import type { Mutant } from './mutants.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
/** Below the root, so that the bundle finds its packages. */
const FOLDER = join(ROOT, '.tests')

/**
 * Bundles the worker with its 160 modules to one file, with a mutant planted into its source. A worker takes 0.9 s of CPU
 * to start this way and 2.0 s through tsx, and each mutant needs its own.
 *
 * @returns the path of the bundle, in a folder of its own
 * @throws Error if the mutant's passage does not occur exactly once in its file
 */
export async function buildWorker(mutant?: Mutant): Promise<string> {
  mkdirSync(FOLDER, { recursive: true })
  const directory = mkdtempSync(join(FOLDER, 'worker-'))
  const outfile = join(directory, 'worker.mjs')
  await build({
    entryPoints: [join(ROOT, 'regression/simulation/worker.ts')],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    conditions: ['source'],
    logLevel: 'error',
    plugins: [PACKAGES, ...(mutant === undefined ? [] : [plant(mutant)])],
  })
  return outfile
}

/** Packages of the registry are loaded from where they are. */
const PACKAGES: Plugin = {
  name: 'packages',
  setup(bundler) {
    bundler.onResolve({ filter: /^[^./]/ }, ({ path, kind }) =>
      kind === 'entry-point' || path.startsWith('@qs-telemetry/') ? undefined : { path, external: true },
    )
  },
}

function plant({ name, file, original, planted }: Mutant): Plugin {
  const target = resolve(ROOT, 'packages/qs/src', file)
  return {
    name: 'plant',
    setup(bundler) {
      bundler.onLoad({ filter: /\.ts$/ }, ({ path }) => {
        if (path !== target) return undefined
        const parts = readFileSync(path, 'utf8').split(original)
        if (parts.length !== 2) {
          throw new Error(
            `The mutant "${name}" is out of date: its passage occurs ${parts.length - 1} times in ${file}. Correct it in mutants.ts.`,
          )
        }
        return { contents: parts.join(planted), loader: 'ts' }
      })
    },
  }
}
