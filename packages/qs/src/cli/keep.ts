import type { Command } from 'commander'
import { duration } from '../config/kinds.ts'
import { loadConfig } from '../config/load.ts'
import { QueryPool } from '../database/query-pool.ts'
import { findDatabaseUrl } from '../endpoints/endpoints.ts'
import { QsError } from '../errors/qs-error.ts'
import {
  type Expired,
  expiredEvents,
  type KeepDefaults,
  type KeepRule,
  keepDefaults,
  keepRules,
  type Matching,
  matchingSeries,
  removeKeepRule,
  setKeepRule,
} from '../segments/keep-rules.ts'
import { counted } from '../telemetry/counted.ts'
import { visible } from '../telemetry/visible.ts'

const DAY_MS = 86_400_000
const TIMEOUT_MS = 10 * 60_000

export function registerKeep(program: Command): void {
  const keep = program
    .command('keep')
    .description('how long events are kept: what would be deleted now, and exceptions by device and type')
    .addHelpText(
      'after',
      `
KEEP_EVENTS holds for all events; if it is unset, what the database holds stays, at first forever. An exception holds for
the devices and types that its patterns match (* for any characters, ? for one), and of several the longest. The ingester deletes what is older, every ten minutes.
Numbers by the hour stay for KEEP_HOURS. What an exception keeps forever, KEEP_FREE does not delete. Exceptions need the DATABASE_URL of the owner.

Examples
  qs keep ls                        the rules, and what would go now
  qs keep set '*' vibration 30d     vibration of every board for thirty days
  qs keep set 'boiler-*' '*' forever
  qs keep rm '*' vibration`,
    )
  keep
    .command('ls')
    .description('show the rules and what they would delete now; deletes nothing')
    .option('--json', 'print {"events":…,"hours":…,"exceptions":[…],"expired":[…]}; days, null for ever')
    .action(async ({ json }: { json?: true }) => {
      const found = await withDatabase(async (ask) => ({
        ...(await keepDefaults(ask)),
        exceptions: await keepRules(ask),
        expired: await expiredEvents(ask),
      }))
      if (json) console.log(JSON.stringify(found, null, 2))
      else print(found)
    })
  keep
    .command('set')
    .description('keep the events of some devices and types for another time')
    .argument('<devices>', 'ids of devices: * for any characters, ? for one')
    .argument('<types>', 'event types, likewise')
    .argument('<time>', 'such as 90d or 730d, or forever')
    .action(async (devices: string, types: string, time: string) => {
      const rule = { devices, types, days: daysOf(time) }
      const effect = await withDatabase(async (ask) => {
        await setKeepRule(ask, rule)
        return effectText(await matchingSeries(ask, rule), await expiredEvents(ask, rule))
      })
      console.log(`${nameOf(rule)}: kept ${timeText(rule.days)}.\n${effect}`)
    })
  keep
    .command('rm')
    .description('remove an exception')
    .argument('<devices>')
    .argument('<types>')
    .action(async (devices: string, types: string) => {
      const isFound = await withDatabase((ask) => removeKeepRule(ask, { devices, types }))
      if (!isFound)
        throw new QsError(
          'WRONG_USAGE',
          `There is no exception for ${nameOf({ devices, types })}; see qs keep ls`,
        )
      console.log(`${nameOf({ devices, types })}: the exception is removed.`)
    })
}

async function withDatabase<T>(work: (ask: QueryPool) => Promise<T>): Promise<T> {
  const pool = new QueryPool(findDatabaseUrl(loadConfig()), {
    ...{ name: 'qs-keep', connections: 1, timeoutMs: TIMEOUT_MS },
  })
  try {
    return await work(pool)
  } finally {
    await pool.end()
  }
}

function daysOf(time: string): number | null {
  if (time === 'forever') return null
  try {
    return duration('1d', '36500d').parse(time) / DAY_MS
  } catch (error) {
    throw new QsError('WRONG_USAGE', `<time> ${(error as Error).message}, or forever`)
  }
}

function nameOf({ devices, types }: Pick<KeepRule, 'devices' | 'types'>): string {
  return `devices ${visible(devices)}, types ${visible(types)}`
}

function timeText(days: number | null): string {
  return days === null ? 'for ever' : `for ${counted(days, 'day')}`
}

/** What a new rule does to the series that match it. */
function effectText({ series, events }: Matching, expired: readonly Expired[]): string {
  if (series === 0) return 'It matches no series yet; qs device ls shows the devices.'
  const matching = `It matches ${series} series, which sent ${counted(events, 'event')}.`
  const going = expired.reduce((sum, { events: gone }) => sum + gone, 0)
  if (going === 0) return `${matching} The next run of the ingester deletes none of them.`
  const [since] = expired.map((one) => one.since).sort()
  return `${matching} The next run of the ingester deletes ${counted(going, 'event')} of ${expired.length} series, the oldest of ${since}; qs keep ls lists them.`
}

interface Found extends KeepDefaults {
  readonly exceptions: readonly KeepRule[]
  readonly expired: readonly Expired[]
}

function print({ events, hours, exceptions, expired }: Found): void {
  console.log(`events: kept ${timeText(events)} (KEEP_EVENTS)`)
  for (const rule of exceptions) console.log(`  ${nameOf(rule)}: kept ${timeText(rule.days)}`)
  console.log(`numbers by the hour: kept ${timeText(hours)} (KEEP_HOURS)`)
  if (expired.length === 0) {
    console.log('Nothing is old enough to be deleted now.')
    return
  }
  console.log('\nThe next run of the ingester deletes')
  for (const { deviceId, eventType, since, before, events: gone } of expired)
    console.log(
      `${gone.toLocaleString('en-US').padStart(15)} events  ${visible(deviceId)} ${visible(eventType)}, from ${since} to ${before}`,
    )
}
