import { hostname } from 'node:os'
import type { Config } from '../config/settings.ts'
import type { GateOptions } from './gate.ts'

/** The options of the gate from the settings. */
export function gateOptions(config: Config): GateOptions {
  const { HTTP_HOST: host, HTTP_PUBLIC_HOSTS: publicHosts } = config
  return {
    host,
    names: [host, hostname(), ...(publicHosts ?? [])],
    operatorPassword: config.CONSOLE_OPERATOR_PASSWORD,
    viewerPassword: config.CONSOLE_VIEWER_PASSWORD,
  }
}
