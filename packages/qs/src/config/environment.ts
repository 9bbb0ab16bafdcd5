/*
 * The only reader of process.env; the linter refuses every other. Settings are read from it by load.ts and declared in
 * settings.ts.
 */

/** Variables that are not settings: `qs config` does not list them, and `.env` cannot set them. */
export const OTHER_VARIABLES = {
  PATH: 'Where `qs backup` and `qs restore` look for the programs of PostgreSQL. Programs that qs starts get it too.',
  VISUAL: 'The editor that `qs deadletter fix` opens.',
  EDITOR: 'The same, if VISUAL is not set.',
  QS_DEBUG: 'With any value, a command that fails prints the stack trace of its error.',
  npm_config_lan: 'Set by npm for `npm start --lan`, which means `npm start -- --lan`.',
} as const

/** An empty variable counts as unset. */
export function readVariable(name: keyof typeof OTHER_VARIABLES): string | undefined {
  return process.env[name] || undefined
}

/** All variables, for the settings and for a child that gets the environment of this process. */
export function processEnvironment(): NodeJS.ProcessEnv {
  return process.env
}
