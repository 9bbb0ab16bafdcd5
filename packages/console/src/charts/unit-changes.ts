import type { Line } from '@qs-telemetry/protocol/api'
import { isSameSeries } from './named-lines.ts'

/**
 * Describes changes of the unit of a series: "kitchen · temp was in °C until 2 Mar, 14:00, then in °F". If it goes
 * back and forth, the text says that each unit has its own line.
 *
 * @param momentOf formats Unix seconds
 */
export function unitChanges(
  lines: readonly Line[],
  nameOf: (deviceId: string) => string,
  momentOf: (seconds: number) => string,
): readonly string[] {
  const heads = lines.filter((line, index) => lines.findIndex((other) => isSameSeries(other, line)) === index)
  return heads.flatMap((head) => {
    const parts = lines
      .filter((line) => isSameSeries(line, head) && line.times.length > 0)
      .sort((a, b) => (a.times[0] ?? 0) - (b.times[0] ?? 0))
    if (parts.length < 2) return []
    const name = `${nameOf(head.deviceId)} · ${head.eventType}`
    const units = parts.map(({ unit }) => (unit === null ? 'without a unit' : `in ${unit}`))
    const begins = parts.map(({ times }) => times[0] ?? 0)
    const isInTurn = parts.every(({ times }, index) => (times.at(-1) ?? 0) <= (begins[index + 1] ?? Infinity))
    if (!isInTurn) return [`${name} is sent ${units.join(' and ')}: each unit has its own line`]
    const until = units.map((unit, index) =>
      index === units.length - 1 ? `then ${unit}` : `${unit} until ${momentOf(begins[index + 1] ?? 0)}`,
    )
    return [`${name} was ${until.join(', ')}`]
  })
}
