// Installs Grafana's published libraries where npm run test:grafana looks for them: 365 packages, 250 MB. They are not
// part of npm ci at the root, which everybody runs. .ci/run starts this beside its checks.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

process.chdir(fileURLToPath(new URL('../deploy/grafana/library', import.meta.url)))

/** What was installed last, by the content of the lock file; kept where `npm ci` removes it. */
const installed = 'node_modules/.installed'
const lock = createHash('sha256').update(readFileSync('package-lock.json')).digest('hex')
if (!existsSync(installed) || readFileSync(installed, 'utf8') !== lock) {
  console.error("Installing Grafana's libraries, once (about a minute, 250 MB) …")
  const options = ['--ignore-scripts', '--legacy-peer-deps', '--no-audit', '--no-fund', '--loglevel=error']
  const { status, stderr } = spawnSync('npm', ['ci', ...options], {
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
    shell: process.platform === 'win32',
  })
  if (status !== 0) {
    console.error(stderr.trim())
    console.error(
      'error: npm could not install the libraries that the pictures of the Grafana dashboards need; its words above say why. They come from the npm registry. "npm test" runs without them and leaves only these pictures out.',
    )
    process.exit(1)
  }
  writeFileSync(installed, lock)
}
