// npm run test:grafana: tables, numbers and variables of the dashboards in Grafana's own published libraries, in Chromium.
// They take 620 MB, so they are installed into a folder of their own, once, and not by npm ci.
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))
const folder = 'deploy/grafana/library'
if (!existsSync(`${folder}/node_modules/@grafana/scenes`)) {
  console.error("Installing Grafana's libraries, once (some minutes, 620 MB) …")
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error']
  const options = ['--ignore-scripts', '--legacy-peer-deps', '--no-package-lock', ...quiet]
  execFileSync('npm', ['install', '--prefix', folder, ...options], { stdio: 'inherit' })
}
execFileSync(process.execPath, ['scripts/test.mjs', 'grafana/library'], { stdio: 'inherit' })
