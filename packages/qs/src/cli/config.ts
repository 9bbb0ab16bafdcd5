import type { Command } from 'commander'
import pc from 'picocolors'
import { inspectConfig, parseConfig } from '../config/load.ts'
import { type ShownSetting, shownSettings } from '../config/shown-settings.ts'

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
A secret may come from a file: MQTT_PASSWORD_FILE=/run/secrets/mqtt. Exits with 2 if a setting is wrong.
A few can also be chosen in the console (its page Settings), where they are not set here.`,
    )
    .action(({ json, showSecrets }: Options) => {
      const { found, misspelt } = inspectConfig()
      const shown = shownSettings(found, { showSecrets: showSecrets ?? false })
      if (json)
        console.log(
          JSON.stringify(
            Object.fromEntries(shown.map(({ name, value, source }) => [name, { value, source }])),
            null,
            2,
          ),
        )
      else printTable(shown)
      parseConfig(found, misspelt)
    })
}

function printTable(settings: readonly ShownSetting[]): void {
  let group = ''
  for (const { name, value, source, group: ownGroup, about } of settings) {
    if (ownGroup !== group) console.log(`${group === '' ? '' : '\n'}${pc.bold(ownGroup)}`)
    group = ownGroup
    const mark = source === 'default' || source === 'unset' ? pc.dim(source) : pc.green(source)
    console.log(`  ${name.padEnd(23)} ${value ?? '–'}  ${mark}`)
    console.log(pc.dim(`  ${' '.repeat(23)} ${about}`))
  }
}
