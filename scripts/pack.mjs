// npm run pack: the product as one package, qs-telemetry-<version>.tgz, that `npx qs-telemetry up` runs without a clone.
// npm cannot pack the root of a workspace with its workspaces, so a folder is laid out as the program expects it: the
// packages as in the repository, and the two that are imported by name as bundled dependencies. What they need from the
// registry becomes the dependencies of the package.
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))

const STAGE = 'node_modules/.package'
const PROGRAM = 'packages/qs'
const BUNDLED = ['protocol', 'device']

const manifest = (folder) => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
const isOurs = (name) => name.startsWith('@qs-telemetry/')

function copy(from, to = from) {
  const target = join(STAGE, to)
  mkdirSync(dirname(target), { recursive: true })
  cpSync(from, target, { recursive: true })
}

/** Copies JavaScript whose source still exists: tsc leaves the output of renamed or removed files. */
function copyCompiled(folder, to = folder) {
  cpSync(join(folder, 'dist'), join(STAGE, to, 'dist'), {
    recursive: true,
    filter: (path) => {
      const source = path.replace(join(folder, 'dist'), join(folder, 'src')).replace(/\.js$/, '.ts')
      return !/\.(map|d\.ts|tsbuildinfo)$/.test(path) && existsSync(source)
    },
  })
}

/** A bundled package without its own dependencies: it finds those of the whole package. */
function bundle(name) {
  const folder = join('packages', name)
  const to = join('node_modules/@qs-telemetry', name)
  copyCompiled(folder, to)
  const { dependencies: _, devDependencies: __, ...rest } = manifest(folder)
  writeFileSync(join(STAGE, to, 'package.json'), JSON.stringify(rest, null, 2))
}

rmSync(STAGE, { recursive: true, force: true })
for (const file of ['README.md', 'LICENSE', 'CHANGELOG.md', 'SECURITY.md', '.env.example']) copy(file)
copyCompiled(PROGRAM)
for (const part of ['bin', 'migrations', 'package.json']) copy(join(PROGRAM, part))
for (const part of ['dist', 'package.json']) copy(join('packages/console', part))
for (const name of BUNDLED) bundle(name)

const { version, description, license, type, engines } = manifest('.')
const needed = [PROGRAM, ...BUNDLED.map((name) => join('packages', name))].flatMap((folder) =>
  Object.entries(manifest(folder).dependencies),
)
const bundleDependencies = BUNDLED.map((name) => `@qs-telemetry/${name}`)
const dependencies = {
  ...Object.fromEntries(needed.filter(([name]) => !isOurs(name)).sort()),
  ...Object.fromEntries(bundleDependencies.map((name) => [name, version])),
}
const bin = { 'qs-telemetry': `${PROGRAM}/bin/qs.js`, qs: `${PROGRAM}/bin/qs.js` }
const product = { name: 'qs-telemetry', version, description, license, type, bin, engines }
writeFileSync(
  join(STAGE, 'package.json'),
  JSON.stringify({ ...product, dependencies, bundleDependencies }, null, 2),
)
const destination = process.argv[2] ?? '.'
execFileSync('npm', ['pack', `./${STAGE}`, '--pack-destination', destination, '--loglevel=error'], {
  stdio: 'inherit',
})
