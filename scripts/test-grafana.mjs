// npm run test:grafana: the dashboards in Grafana's own published libraries, in Chromium.
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))
for (const args of [['scripts/install-grafana.mjs'], ['scripts/test.mjs', 'grafana/library']]) {
  try {
    execFileSync(process.execPath, args, { stdio: 'inherit' })
  } catch {
    process.exit(1)
  }
}
