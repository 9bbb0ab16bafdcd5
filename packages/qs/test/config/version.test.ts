import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { runQs } from '@qs-telemetry/testing/qs.ts'

const read = (path: string) => readFileSync(new URL(`../../../../${path}`, import.meta.url), 'utf8')
const versionIn = (path: string) => (JSON.parse(read(path)) as { readonly version: string }).version
const { version } = JSON.parse(read('package.json')) as { readonly version: string }

test('every package, the lock file and the images of the composed stack have the same version', () => {
  const packages = new URL('../../../', import.meta.url)
  const folders = readdirSync(packages).filter((name) =>
    existsSync(new URL(`${name}/package.json`, packages)),
  )
  const files = [
    'package-lock.json',
    'device/esp32/library.json',
    ...folders.map((folder) => `packages/${folder}/package.json`),
  ]
  assert.deepEqual(
    files.map(versionIn),
    files.map(() => version),
  )
  assert.match(read('device/esp32/library.properties'), new RegExp(`^version=${version}$`, 'm'))
  assert.match(read('device/esp32/idf_component.yml'), new RegExp(`^version: "${version}"$`, 'm'))
  const images = [...read('compose.yaml').matchAll(/\$\{QS_VERSION:-([^}]+)\}/g)].map(([, image]) => image)
  assert.deepEqual(images, [version, version])
})

test('the changelog has a dated section for the version', () => {
  const sections = [...read('CHANGELOG.md').matchAll(/^## (\S+)(?: \((\d{4}-\d\d-\d\d)\))?$/gm)]
  const released = sections.find(([, name]) => name !== 'Unreleased')
  assert.equal(released?.[1], version)
  assert.match(released?.[2] ?? '', /^\d{4}-\d\d-\d\d$/)
})

test('qs --version prints the version of the package', async (t) => {
  const { code, stdout } = await runQs(t, ['--version'])
  assert.deepEqual([code, stdout], [0, `${version}\n`])
})
