import type { Line } from '@qs-telemetry/protocol/api'
import type { ChartLine } from './chart-line.ts'

export type NamedLine = Line & ChartLine

/** Labels lines of the API with only those parts of the name that they do not all share. */
export function namedLines(
  lines: readonly Line[],
  nameOf: (deviceId: string) => string,
): readonly NamedLine[] {
  const [hasDevices, hasTypes] = [differ(lines, 'deviceId'), differ(lines, 'eventType')]
  return lines.map((line, style) => {
    const { deviceId, eventType, unit } = line
    const isSplit = lines.some((other) => other !== line && isSameSeries(other, line))
    const name = [(hasDevices || !hasTypes) && nameOf(deviceId), hasTypes && eventType].filter(Boolean)
    const label = isSplit ? [...name, `(${unit ?? 'no unit'})`] : name
    return { ...line, style, key: JSON.stringify([deviceId, eventType, unit]), label: label.join(' ') }
  })
}

type SeriesName = Pick<Line, 'deviceId' | 'eventType'>

export function isSameSeries(a: SeriesName, b: SeriesName): boolean {
  return a.deviceId === b.deviceId && a.eventType === b.eventType
}

function differ(lines: readonly Line[], part: 'deviceId' | 'eventType'): boolean {
  return lines.some((line) => line[part] !== lines[0]?.[part])
}
