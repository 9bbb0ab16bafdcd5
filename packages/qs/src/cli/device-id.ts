import { deviceNameProblem } from '../accounts/device-name.ts'
import type { Config } from '../config/settings.ts'
import { CliError, WRONG_USAGE } from './exit.ts'

/** @throws CliError where there can be no account of this name */
export function checkNewDeviceId(config: Config, deviceId: string): void {
  const problem = deviceNameProblem(config, deviceId)
  if (problem !== null) throw new CliError(problem, WRONG_USAGE)
}
