import type { Command } from 'commander'
import { muteRule } from '../alerts/rules.ts'
import { duration } from '../config/kinds.ts'
import { QsError } from '../errors/qs-error.ts'
import { withDatabase } from './with-database.ts'

export function registerAlertMute(alert: Command): void {
  alert
    .command('mute')
    .description('send nothing of a rule for a time; it is still evaluated and shown')
    .argument('<name>')
    .argument('[time]', 'such as 2h or 3d; off ends the mute', 'until further notice')
    .addHelpText(
      'after',
      `
What still lasts when the mute ends is told then.

Examples
  qs alert mute silent-devices 2h
  qs alert mute silent-devices off`,
    )
    .action(async (name: string, time: string) => {
      const until = untilOf(time)
      if (!(await withDatabase((ask) => muteRule(ask, name, until))))
        throw new QsError('WRONG_ALERT', `There is no rule ${name}`)
      if (until === null) console.log(`${name} is no longer muted.`)
      else
        console.log(
          `${name} is muted ${until === 'infinity' ? 'until qs alert mute … off' : `until ${until.toISOString()}`}.`,
        )
    })
}

function untilOf(time: string): Date | 'infinity' | null {
  if (time === 'off') return null
  if (time === 'until further notice') return 'infinity'
  try {
    return new Date(Date.now() + duration('1s', '3650d').parse(time))
  } catch (error) {
    throw new QsError('WRONG_USAGE', `[time] ${(error as Error).message}, or off`)
  }
}
