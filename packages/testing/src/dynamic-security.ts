import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type Mosquitto, mosquittoMissing, startMosquitto } from './mosquitto.ts'

export const OPERATOR = { username: 'operator', password: 'operator-secret-of-tests' }

const PLUGIN = [
  '/usr/lib/x86_64-linux-gnu',
  '/usr/lib/aarch64-linux-gnu',
  '/usr/lib',
  '/usr/local/lib',
  '/opt/homebrew/lib',
]
  .map((directory) => join(directory, 'mosquitto_dynamic_security.so'))
  .find((path) => existsSync(path))

/** Why tests with dynamic security are skipped, or false. */
export const dynamicSecurityMissing: string | false = (() => {
  if (mosquittoMissing) return mosquittoMissing
  if (PLUGIN !== undefined) return false
  if (process.env.CI)
    throw new Error('mosquitto_dynamic_security.so is not installed, and CI must not skip its tests')
  return 'mosquitto_dynamic_security.so is not installed'
})()

/** A Mosquitto with managed accounts, as after its first start: only an operator. */
export async function startManagedMosquitto(
  t: TestContext,
  {
    anonymous = false,
    config = [],
    isShipped,
  }: {
    readonly anonymous?: boolean
    readonly config?: readonly string[]
    /** With deploy/mosquitto/mosquitto.conf. */
    readonly isShipped?: true
  } = {},
): Promise<Mosquitto> {
  const directory = mkdtempSync(join(tmpdir(), 'qs-accounts-'))
  const file = join(directory, 'dynamic-security.json')
  const { status, stderr } = spawnSync('mosquitto_ctrl', [
    'dynsec',
    'init',
    file,
    OPERATOR.username,
    OPERATOR.password,
  ])
  if (status !== 0) throw new Error(`mosquitto_ctrl failed: ${stderr}`)
  const mosquitto = await startMosquitto(t, {
    ...(isShipped && { isShipped }),
    config: [
      'per_listener_settings false',
      `allow_anonymous ${anonymous}`,
      `plugin ${PLUGIN}`,
      `plugin_opt_config_file ${file}`,
      ...config,
    ],
  })
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return mosquitto
}
