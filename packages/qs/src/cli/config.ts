import type { Command } from 'commander'
import pc from 'picocolors'
import { type Found, inspectConfig, parseConfig, withoutCredentials } from '../config/load.ts'
import { SETTINGS, type Setting, type SettingName } from '../config/settings.ts'

interface Options {
  readonly json?: true
  readonly showSecrets?: true
}

export function registerConfig(program: Command): void {
  program
    .command('config')
    .description('list every setting, its value and where it comes from')
    .option('--json', 'print {"NAME":{"value":…,"source":…}}')
    .option('--show-secrets', 'print passwords in clear text')
    .addHelpText(
      'after',
      `
Settings are environment variables, or NAME=value lines in .env in the current folder; the environment wins.
A secret may come from a file: MQTT_PASSWORD_FILE=/run/secrets/mqtt. Exits with 2 if a setting is wrong.`,
    )
    .action(({ json, showSecrets }: Options) => {
      const { found, misspelt } = inspectConfig()
      const shown = Object.entries(found).map(([name, each]) =>
        show(name as SettingName, each, showSecrets ?? false),
      )
      if (json)
        console.log(
          JSON.stringify(Object.fromEntries(shown.map(({ name, ...rest }) => [name, rest])), null, 2),
        )
      else printTable(shown)
      parseConfig(found, misspelt)
    })
}

interface Shown {
  readonly name: SettingName
  readonly value: string | null
  readonly source: string
}

function show(name: SettingName, { text, source }: Found, showSecrets: boolean): Shown {
  const { secret, kind }: Setting<unknown> = SETTINGS[name]
  if (text === null || showSecrets) return { name, value: text, source }
  return { name, value: secret ? '••••••' : isUrl(kind.name) ? withoutCredentials(text) : text, source }
}

/** A rejected URL may still contain a password. */
function isUrl(kind: string): boolean {
  return kind.startsWith('URL')
}

function printTable(settings: readonly Shown[]): void {
  let group = ''
  for (const { name, value, source } of settings) {
    const { group: ownGroup, about }: Setting<unknown> = SETTINGS[name]
    if (ownGroup !== group) console.log(`${group === '' ? '' : '\n'}${pc.bold(ownGroup)}`)
    group = ownGroup
    const mark = source === 'default' || source === 'unset' ? pc.dim(source) : pc.green(source)
    console.log(`  ${name.padEnd(23)} ${value ?? '–'}  ${mark}`)
    console.log(pc.dim(`  ${' '.repeat(23)} ${about}`))
  }
}
