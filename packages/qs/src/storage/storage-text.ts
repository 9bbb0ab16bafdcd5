import type { Storage } from '@qs-telemetry/protocol/api'
import { counted } from '../telemetry/counted.ts'
import { sizeText } from './size-text.ts'

/** The report for a terminal. */
export function storageText(report: Storage): string {
  const { parts, events, growth, disk, sealing, settings, advice } = report
  const [most = 1] = parts.map(({ bytes }) => Math.max(1, bytes))
  const bar = (bytes: number) => '█'.repeat(Math.round((bytes / most) * 20)).padEnd(20)
  const lines = parts.map(
    ({ name, bytes, about }) => `${sizeText(bytes).padStart(10)}  ${name.padEnd(9)} ${bar(bytes)} ${about}`,
  )
  const sealed =
    events.bytesPerSealed === null ? '' : `, sealed ${events.bytesPerSealed.toFixed(1)} bytes each`
  return [
    ...lines,
    '',
    `events   ${counted(events.rows, 'row')} of ${sizeText(events.bytesPerRow)}, ${counted(events.sealed, 'sealed event')}${sealed}`,
    `growth   ${growthText(growth)}`,
    `disk     ${disk === null ? 'on another machine, or this role may not see where' : `${sizeText(disk.freeBytes)} of ${sizeText(disk.totalBytes)} are free; ${lastsText(report)}`}`,
    ...(parts.some(({ name }) => name === 'WAL')
      ? []
      : ['WAL      not included: this role may not see its size (docs/database-roles.md)']),
    ...(sealing === null ? [] : [`sealing  ${sealingText(sealing)}`]),
    ...(sealing === null || sealing.deleted === null
      ? []
      : [
          `deleted  ${counted(sealing.deleted.events, 'event')} for lack of space (KEEP_FREE), up to ${sealing.deleted.upTo}`,
        ]),
    `settings ${settings.map(({ name, value, from }) => `${name} ${value} (${from})`).join(', ')}`,
    ...(advice.length === 0 ? [] : ['', 'What would help:', ...advice.map((line) => `- ${line}`)]),
  ].join('\n')
}

/** `lasts about 3 years, until 2029-11-29` */
export function lastsText({ lasts, growth }: Pick<Storage, 'lasts' | 'growth'>): string {
  if (growth === null) return 'how long it lasts is known an hour after the first event'
  if (lasts === null) return 'lasts more than 100 years at this rate'
  const until = lasts.until.slice(0, lasts.until.indexOf('T'))
  if (lasts.days < 1) return `lasts less than a day, until ${until}`
  const time =
    lasts.days < 730
      ? counted(Math.floor(lasts.days), 'day')
      : counted(Math.floor(lasts.days / 365.25), 'year')
  return `lasts about ${time}, until ${until}`
}

function growthText(growth: Storage['growth']): string {
  if (growth === null) return 'known an hour after the first event'
  const { eventsPerDay, bytesPerDay, laterBytesPerDay } = growth
  const later =
    laterBytesPerDay < bytesPerDay
      ? `; ${sizeText(laterBytesPerDay)} once as many are sealed or deleted a day as arrive`
      : ''
  return `${counted(Math.round(eventsPerDay), 'event')} and ${sizeText(bytesPerDay)} a day${later}`
}

function sealingText({ horizon, walkedAt }: NonNullable<Storage['sealing']>): string {
  if (horizon === null) return 'nothing is due yet'
  return `events before ${horizon} are sealed; ${walkedAt === null ? 'the first walk through all series is under way' : `all series had their turn at ${walkedAt}`}`
}
