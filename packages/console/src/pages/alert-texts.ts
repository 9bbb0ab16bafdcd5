import type { AlertRule } from '@qs-telemetry/protocol/api'

export const KINDS: Readonly<Record<AlertRule['kind'], string>> = {
  value: 'a reading is above or below a limit',
  'device-silent': 'a device is silent',
  'series-silent': 'a sensor is silent while its device is not',
  clock: 'the clock of a device is wrong',
  gaps: 'events of a device never came',
  'dead-letters': 'many events are rejected',
  'nothing-ingested': 'nothing is stored at all',
  disk: 'the disk is almost full',
  service: 'the service needs attention',
}

export function isMuted({ mutedUntil }: Pick<AlertRule, 'mutedUntil'>, nowMs = Date.now()): boolean {
  return mutedUntil !== null && Date.parse(mutedUntil) > nowMs
}

/** A rule in words: `a reading is above -15: types temp, back by 2, for 10 minutes`. */
export function ruleText(rule: AlertRule): string {
  const { kind, devices, types, rooms, unit, above, below, back, forSeconds, channels } = rule
  const details = [
    ...(devices === '*' ? [] : [`devices ${devices}`]),
    ...(types === '*' ? [] : [`types ${types}`]),
    ...(rooms === '*' ? [] : [`rooms ${rooms}`]),
    ...(above === null ? [] : [`above ${above}`]),
    ...(below === null ? [] : [`below ${below}`]),
    ...(unit === null ? [] : [`in ${unit}`]),
    ...(back === 0 ? [] : [`back by ${back}`]),
    ...(forSeconds === 0 ? [] : [`${kind === 'dead-letters' ? 'within' : 'for'} ${timeText(forSeconds)}`]),
    ...(channels.length === 0 ? [] : [`to ${channels.join(', ')}`]),
  ]
  return [KINDS[kind], ...(details.length === 0 ? [] : [details.join(', ')])].join(': ')
}

function timeText(seconds: number): string {
  const [count, unit] =
    seconds < 120
      ? [seconds, 'second']
      : seconds < 7_200
        ? [seconds / 60, 'minute']
        : [seconds / 3_600, 'hour']
  const shown = Number(count.toFixed(1))
  return `${shown} ${unit}${shown === 1 ? '' : 's'}`
}
