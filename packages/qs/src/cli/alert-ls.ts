import type { Command } from 'commander'
import pc from 'picocolors'
import { type Channel, listChannels } from '../alerts/channels.ts'
import { type Firing, type HistoryLine, listFiring, listHistory } from '../alerts/read-alerts.ts'
import type { Rule } from '../alerts/rule.ts'
import { ruleText } from '../alerts/rule-text.ts'
import { listRules } from '../alerts/rules.ts'
import { visible } from '../telemetry/visible.ts'
import { withDatabase } from './with-database.ts'

const LINES = 10

interface Found {
  readonly firing: readonly Firing[]
  readonly rules: readonly Rule[]
  readonly channels: readonly Channel[]
  readonly history: readonly HistoryLine[]
}

export function registerAlertLs(alert: Command): void {
  alert
    .command('ls')
    .description('show what fires now, the rules, the channels, and the newest lines of the history')
    .option('--json', 'print {"firing":[…],"rules":[…],"channels":[…],"history":[…]}; no secret is in it')
    .action(async ({ json }: { json?: true }) => {
      const found = await withDatabase(async (ask) => ({
        firing: await listFiring(ask),
        rules: await listRules(ask),
        channels: await listChannels(ask),
        history: await listHistory(ask, LINES),
      }))
      if (json) console.log(JSON.stringify(found, null, 2))
      else print(found)
    })
}

function print({ firing, rules, channels, history }: Found): void {
  console.log(pc.bold(firing.length === 0 ? 'Nothing fires.' : 'Firing now'))
  for (const { since, rule, message } of firing)
    console.log(`  ${pc.red(visible(rule))}  since ${timeOf(since)}  ${visible(message)}`)
  console.log(pc.bold('\nRules'))
  for (const rule of rules) console.log(`  ${rule.name.padEnd(18)} ${ruleText(rule)}`)
  console.log(pc.bold('\nChannels'))
  if (channels.length === 0) console.log('  None: nobody is told. Add one: qs alert channel add --help')
  for (const each of channels) console.log(`  ${each.name.padEnd(18)} ${channelText(each)}`)
  if (history.length === 0) return
  console.log(pc.bold('\nHistory (UTC)'))
  for (const { at, rule, message, change } of history)
    console.log(`  ${timeOf(at)}  ${change.padEnd(8)}  ${visible(rule)}  ${visible(message)}`)
}

function channelText(channel: Channel): string {
  const { kind, shown, quietFrom, quietTo, quietZone } = channel
  const quiet = quietFrom === null ? '' : `; quiet ${quietFrom} to ${quietTo} (${quietZone})`
  return `${kind}: ${visible(shown)}${quiet}; ${healthText(channel)}`
}

function healthText({ error, failingSince, waiting, sentAt }: Channel): string {
  if (failingSince !== null)
    return pc.red(`fails since ${timeOf(failingSince)}: ${visible(error ?? '')}; ${waiting} waiting`)
  if (sentAt === null) return 'never used; qs alert test tries it'
  return `last told ${timeOf(sentAt)}${waiting > 0 ? `, ${waiting} waiting` : ''}`
}

function timeOf(moment: string): string {
  return moment.slice(0, 19).replace('T', ' ')
}
