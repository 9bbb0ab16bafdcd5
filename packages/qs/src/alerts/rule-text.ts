import { visible } from '../telemetry/visible.ts'
import type { Rule } from './rule.ts'
import { timeText } from './time-text.ts'

/** A rule in one line. */
export function ruleText(rule: Rule): string {
  const {
    kind,
    devices,
    types,
    rooms,
    unit,
    above,
    below,
    back,
    forSeconds,
    remindSeconds,
    urgent,
    channels,
  } = rule
  const unitText = unit === null ? '' : ` ${visible(unit)}`
  const limits = [
    ...(above === null ? [] : [`above ${above}${unitText}`]),
    ...(below === null ? [] : [`below ${below}${unitText}`]),
  ]
  return [
    kind,
    ...(devices === '*' ? [] : [`devices ${visible(devices)}`]),
    ...(types === '*' ? [] : [`types ${visible(types)}`]),
    ...(rooms === '*' ? [] : [`rooms ${visible(rooms)}`]),
    ...(limits.length === 0 ? [] : [limits.join(' or ')]),
    ...(back === 0 ? [] : [`back by ${back}`]),
    ...(forSeconds === 0 ? [] : [`${kind === 'dead-letters' ? 'within' : 'for'} ${timeText(forSeconds)}`]),
    ...(remindSeconds === 86_400
      ? []
      : [remindSeconds === null ? 'no reminder' : `again every ${timeText(remindSeconds)}`]),
    ...(urgent ? ['urgent'] : []),
    ...(channels.length === 0 ? [] : [`to ${channels.join(', ')}`]),
    ...muteText(rule),
  ].join(', ')
}

function muteText({ mutedUntil }: Rule): readonly string[] {
  if (mutedUntil === null || Date.parse(mutedUntil) < Date.now()) return []
  return [
    mutedUntil.startsWith('9999') ? 'muted' : `muted until ${mutedUntil.slice(0, 16).replace('T', ' ')} UTC`,
  ]
}
