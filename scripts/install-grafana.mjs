// Installs Grafana's published libraries for npm run test:grafana: 365 packages, 250 MB. They are not part of npm ci at
// the root, which every clone runs. .ci/run starts this in parallel with its checks.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

process.chdir(fileURLToPath(new URL('../deploy/grafana/library', import.meta.url)))

/** Hash of the lock file of the last install; stored where `npm ci` removes it. */
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
      'error: npm could not install the libraries that the pictures of the Grafana dashboards need; see its output above. They come from the npm registry. "npm test" runs without them and skips only these pictures.',
    )
    process.exit(1)
  }
  writeFileSync(installed, lock)
}
