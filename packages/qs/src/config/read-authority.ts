import { readFileSync } from 'node:fs'
import { reasonOf } from '../errors/reason-of.ts'
import { ConfigError } from './load.ts'

/** The certificate authority in MQTT_CA_FILE, as PEM. @throws ConfigError if it cannot be read */
export function readAuthority(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    throw new ConfigError([`MQTT_CA_FILE cannot be read: ${reasonOf(error)}`])
  }
}
