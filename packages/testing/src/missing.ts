import { spawnSync } from 'node:child_process'

/** Why a test is skipped, or false; in CI no command may be missing. */
export function missing(command: string, ...args: readonly string[]): string | false {
  const { error, status } = spawnSync(command, args)
  if (error === undefined && (args.length === 0 || status === 0)) return false
  if (process.env.CI)
    throw new Error(`${command} ${args.join(' ')} does not work, and CI must not skip its tests`)
  return `${command} is not installed`
}
