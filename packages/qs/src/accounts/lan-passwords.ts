import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { lanFile } from '../config/lan-file.ts'
import type { Config } from '../config/settings.ts'
import { isLoopback } from '../endpoints/loopback.ts'
import { newPassword } from './new-password.ts'

/**
 * Makes the passwords that a network needs and the settings do not have: of the operator at the broker and, if its
 * address is not loopback, in the console. They are kept in the data directory, readable only by this user.
 *
 * @returns the new ones, as lines of `.env`
 */
export function ensureLanPasswords(config: Config): readonly string[] {
  // Commands would use them for that broker.
  if (config.MQTT_URL !== null) return []
  const made = [
    ...(config.MQTT_USERNAME === null && config.MQTT_PASSWORD === null
      ? ['MQTT_USERNAME=operator', `MQTT_PASSWORD=${newPassword()}`]
      : []),
    ...(needsConsolePassword(config) ? [`CONSOLE_OPERATOR_PASSWORD=${newPassword()}`] : []),
  ]
  if (made.length === 0) return made
  mkdirSync(config.QS_DATA_DIR, { recursive: true })
  const file = lanFile(config.QS_DATA_DIR)
  const before = existsSync(file) ? readFileSync(file, 'utf8') : ''
  const draft = `${file}.new`
  writeFileSync(draft, `${before}${made.join('\n')}\n`, { mode: 0o600, flush: true })
  renameSync(draft, file)
  return made
}

/** Whoever set only the password of the viewer wants no operator there. */
function needsConsolePassword(config: Config): boolean {
  const { HTTP_HOST: host, CONSOLE_OPERATOR_PASSWORD: operator, CONSOLE_VIEWER_PASSWORD: viewer } = config
  return !isLoopback(host) && operator === null && viewer === null
}
