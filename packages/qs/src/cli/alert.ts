import type { Command } from 'commander'
import { registerAlertAdd } from './alert-add.ts'
import { registerAlertChannel } from './alert-channel.ts'
import { registerAlertLs } from './alert-ls.ts'
import { registerAlertMute } from './alert-mute.ts'
import { registerAlertRm } from './alert-rm.ts'
import { registerAlertTest } from './alert-test.ts'

export function registerAlert(program: Command): void {
  const alert = program
    .command('alert')
    .description('be told when something is wrong: rules, what they say now, and the channels that are told')
    .addHelpText(
      'after',
      `
Rules are there from the start: silent devices and sensors, nothing ingested, dead letters, clocks, disk, and the service
itself. What is missing is a channel:

  qs alert channel add phone ntfy topic=qs-8f3a61c0e2      your phone, with the ntfy app
  qs alert test phone                                      sends a test message
  qs alert add freezer value --devices 'freezer-*' --types temp --above -15 --back 2 --for 10m
  qs alert ls                                              rules, what fires now, channels
  qs alert mute silent-devices 2h                          while you move the furniture

The ingester evaluates the rules every fifteen seconds. Docs: docs/alerts.md`,
    )
  for (const register of [
    registerAlertLs,
    registerAlertAdd,
    registerAlertRm,
    registerAlertMute,
    registerAlertTest,
    registerAlertChannel,
  ])
    register(alert)
}
