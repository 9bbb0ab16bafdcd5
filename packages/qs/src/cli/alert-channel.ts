import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { CHANNEL_KINDS, fieldsOf, isChannelKind } from '../alerts/channel-kinds.ts'
import { addChannel, type QuietHours, removeChannel } from '../alerts/channels.ts'
import { timeZone } from '../config/kinds.ts'
import { QsError } from '../errors/qs-error.ts'
import { parseWith } from './parse-option.ts'
import { withDatabase } from './with-database.ts'

interface Options {
  readonly quiet?: Omit<QuietHours, 'zone'>
  readonly zone?: string
}

export function registerAlertChannel(alert: Command): void {
  const channel = alert.command('channel').description('add or remove a channel; qs alert ls lists them')
  channel
    .command('add')
    .description('add a channel: where alerts go')
    .argument('<name>', 'lower-case letters, digits, - and _')
    .argument('<kind>', Object.keys(CHANNEL_KINDS).join(', '))
    .argument('[settings...]', 'name=value, or name=@file to read the value from a file')
    .option(
      '--quiet <hours>',
      'send only urgent rules then, and the rest afterwards, such as 22:00-07:00',
      quietHours,
    )
    .option(
      '--zone <zone>',
      'time zone of the quiet hours (default: that of this machine)',
      parseWith(timeZone),
    )
    .addHelpText(
      'after',
      `
Settings by kind
${Object.keys(CHANNEL_KINDS).map(kindText).join('\n')}

A value on the command line is in the history of your shell; name=@file reads it from a file, name=@- from standard input.
Only the ingester reads secrets; lists show ••• instead. They are part of backups.

Examples
  qs alert channel add phone ntfy topic=qs-8f3a61c0e2 --quiet 22:00-07:00
  qs alert channel add family telegram token=@bot-token chat=-1001234
  qs alert channel add slack webhook url=@slack-url template='{"text":"{{title}}\\n{{text}}"}'`,
    )
    .action(async (name: string, kind: string, texts: readonly string[], options: Options) => {
      if (!isChannelKind(kind))
        throw new QsError('WRONG_ALERT', `There is no kind ${kind}: ${Object.keys(CHANNEL_KINDS).join(', ')}`)
      const settings = Object.fromEntries(texts.map(settingOf))
      const zone = options.zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone
      const quiet = options.quiet === undefined ? null : { ...options.quiet, zone }
      await withDatabase((ask) => addChannel(ask, { name, kind, settings, quiet }))
      console.log(`${name} is added. Try it: qs alert test ${name}`)
    })
  channel
    .command('rm')
    .description('remove a channel, and what it has not sent yet')
    .argument('<name>')
    .action(async (name: string) => {
      if (!(await withDatabase((ask) => removeChannel(ask, name))))
        throw new QsError('WRONG_ALERT', `There is no channel ${name}`)
      console.log(`${name} is removed.`)
    })
}

function kindText(kind: string): string {
  if (!isChannelKind(kind)) return ''
  const fields = Object.entries(fieldsOf(kind)).map(
    ([name, { about, isRequired }]) => `    ${name.padEnd(14)} ${about}${isRequired ? ' (needed)' : ''}`,
  )
  return [`  ${kind}`, ...fields].join('\n')
}

function settingOf(text: string): readonly [string, string] {
  const [, name, value] = /^([a-z_]+)=(.*)$/s.exec(text) ?? []
  if (name === undefined || value === undefined)
    throw new QsError('WRONG_ALERT', 'A setting of a channel is name=value or name=@file')
  return [name, value.startsWith('@') ? readValue(value.slice(1)) : value]
}

function readValue(path: string): string {
  try {
    return readFileSync(path === '-' ? 0 : path, 'utf8').trim()
  } catch (error) {
    throw new QsError('WRONG_ALERT', `${path} cannot be read: ${(error as NodeJS.ErrnoException).code}`)
  }
}

function quietHours(text: string): Omit<QuietHours, 'zone'> {
  const time = '(?:[01]\\d|2[0-3]):[0-5]\\d'
  const [, from, to] = new RegExp(`^(${time})-(${time})$`).exec(text) ?? []
  if (from === undefined || to === undefined)
    throw new QsError('WRONG_ALERT', '--quiet takes two times of a day, such as 22:00-07:00')
  return { from, to }
}
