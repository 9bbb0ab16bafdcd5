import type { Program } from './program.ts'

/** What the operator chooses. */
export interface InstallOptions {
  /** The account that it runs as. */
  readonly user: string
  /** Its working directory, with the settings in `.env`. */
  readonly folder: string
  /** Of `qs up`. */
  readonly upOptions: readonly string[]
  /** As systemd takes it: 75%, 512M. */
  readonly memoryMax: string
}

/** What a service manager has to know about the service. All paths are absolute. */
export interface ServicePlan extends InstallOptions {
  readonly program: Program
  /** Outside of `folder`, and written to. */
  readonly otherFolders: readonly string[]
}

export function startCommand({ program, upOptions }: ServicePlan): readonly string[] {
  return [...program, 'up', ...upOptions]
}
