import type { Command } from 'commander'
import pc from 'picocolors'
import { listDeviceAccounts } from '../accounts/devices.ts'
import { loadConfig } from '../config/load.ts'
import type { Config } from '../config/settings.ts'
import { asQsError } from '../database/query-failure.ts'
import { type DeviceRow, DeviceRows } from '../devices/device-rows.ts'
import { findDatabaseUrl } from '../endpoints/endpoints.ts'
import { QsError } from '../errors/qs-error.ts'
import { visible, visibleLines } from '../telemetry/visible.ts'
import { withOperator } from './with-operator.ts'

/** Null fields are unknown, because the broker or the database did not answer. */
interface Device {
  readonly device_id: string
  readonly account: boolean | null
  readonly label: string | null
  readonly time_zone: string | null
  readonly room: string | null
  readonly notes: string | null
  readonly first_seen: string | null
  readonly last_seen: string | null
  readonly status: DeviceRow['status'] | null
  readonly events_last_hour: number | null
  readonly drift_seconds: number | null
  readonly missing_events: number | null
  readonly complete_since: string | null
}

export function registerDeviceLs(device: Command): void {
  device
    .command('ls')
    .description(
      'list devices: account, first and last seen, status, events in the last hour, clock drift, missing events',
    )
    .option('--all', 'also devices in the archive')
    .option('--json', 'print an array')
    .addHelpText(
      'after',
      `
Status is online, silent (for longer than its usual interval allows), quiet (no event for 15 minutes, and no usual
interval known), never or, with --all, archived. Drift is how far the device's clock is ahead according to its newest
event (negative: it is behind, or the event waited on the device). Missing are events whose numbers never came, if its ids are
<device>-<epoch>-<number>; --json has the time since when it is complete. If the broker or the database does not answer, the rest is shown with a note.`,
    )
    .action(async ({ all, json }: { all?: true; json?: true }) => {
      const config = loadConfig()
      const [accounts, rows] = await Promise.all([
        known('accounts', () => withOperator(config, listDeviceAccounts)),
        known('device activity', () => listRows(config)),
      ])
      if (accounts === null && rows === null) {
        throw new QsError('BROKER_UNREACHABLE', 'Neither the broker nor the database answers')
      }
      const devices = merge(accounts, rows).filter(({ status }) => all || status !== 'archived')
      if (json) console.log(JSON.stringify(devices, null, 2))
      else print(devices)
    })
}

/** The result of `ask`, or null and a note on standard error. */
async function known<T>(what: string, ask: () => Promise<T>): Promise<T | null> {
  try {
    return await ask()
  } catch (error) {
    console.error(`${pc.yellow('note:')} ${what} unknown. ${visibleLines(asQsError(error).message)}`)
    return null
  }
}

async function listRows(config: Config): Promise<readonly DeviceRow[]> {
  const rows = await DeviceRows.open(findDatabaseUrl(config))
  try {
    return await rows.list()
  } finally {
    await rows.close()
  }
}

function merge(accounts: readonly string[] | null, rows: readonly DeviceRow[] | null): readonly Device[] {
  const byId = new Map((rows ?? []).map((row) => [row.deviceId, row]))
  const withAccount = new Set(accounts ?? [])
  const ids = [...new Set([...withAccount, ...byId.keys()])].sort()
  return ids.map((deviceId) => {
    const row = byId.get(deviceId)
    return {
      device_id: deviceId,
      account: accounts === null ? null : withAccount.has(deviceId),
      label: row?.label ?? null,
      time_zone: row?.timeZone ?? null,
      room: row?.room ?? null,
      notes: row?.notes ?? null,
      first_seen: row?.firstSeen ?? null,
      last_seen: row?.lastSeen ?? null,
      status: rows === null ? null : (row?.status ?? 'never'),
      events_last_hour: rows === null ? null : (row?.eventsLastHour ?? 0),
      drift_seconds: row?.driftSeconds ?? null,
      missing_events: row?.missingEvents ?? null,
      complete_since: row?.completeSince ?? null,
    }
  })
}

function print(devices: readonly Device[]): void {
  if (devices.length === 0) return console.log('No devices yet. qs device add creates an account for one.')
  const head = [
    'DEVICE',
    'ACCOUNT',
    'FIRST SEEN (UTC)',
    'LAST SEEN (UTC)',
    'STATUS',
    'EVENTS/H',
    'DRIFT',
    'MISSING',
    'ROOM',
    'LABEL',
  ]
  const rows = devices.map((each) => [
    visible(each.device_id),
    each.account === null ? '?' : each.account ? 'yes' : 'no',
    moment(each.first_seen),
    moment(each.last_seen),
    each.status ?? '?',
    each.events_last_hour === null ? '?' : String(each.events_last_hour),
    each.drift_seconds === null ? '–' : drift(each.drift_seconds),
    each.missing_events === null ? '–' : String(each.missing_events),
    each.room === null ? '–' : visible(each.room),
    each.label === null ? '–' : visible(each.label),
  ])
  const widths = head.map((name, column) =>
    Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)),
  )
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
  console.log(pc.bold(line(head)))
  for (const row of rows) console.log(line(row))
}

function moment(time: string | null): string {
  return time === null ? '–' : time.slice(0, 19).replace('T', ' ')
}

function drift(seconds: number): string {
  const sign = seconds < 0 ? '-' : '+'
  const size = Math.abs(seconds)
  if (size < 100) return `${sign}${size.toFixed(1)} s`
  if (size < 7_200) return `${sign}${Math.round(size / 60)} min`
  return size < 172_800 ? `${sign}${Math.round(size / 3_600)} h` : `${sign}${Math.round(size / 86_400)} d`
}
