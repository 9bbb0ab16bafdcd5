import type { Progress } from '../import/checkpoint.ts'
import type { Event } from '../pipeline/message.ts'
import { counted } from '../telemetry/counted.ts'
import { oneLine, visible } from '../telemetry/visible.ts'

interface Series {
  readonly first: Event
  events: number
  from: string
  to: string
}

/** Series that are told apart. */
const MAX_SERIES = 10_000
const SHOWN = 50

/** What a dry run has found. */
export class ImportPreview {
  readonly #series = new Map<string, Series>()
  #others = 0

  add(event: Event): void {
    const key = `${event.deviceId}\n${event.eventType}`
    const series = this.#series.get(key)
    if (series === undefined) {
      if (this.#series.size === MAX_SERIES) this.#others++
      else this.#series.set(key, { first: event, events: 1, from: event.ts, to: event.ts })
      return
    }
    series.events++
    if (event.ts < series.from) series.from = event.ts
    if (event.ts > series.to) series.to = event.ts
  }

  print({ records, stored, bad }: Progress): void {
    console.log(
      `A dry run: nothing is stored. ${counted(records, 'line')}, ${counted(stored, 'event')}, ${counted(bad, 'bad line')}`,
    )
    const shown = [...this.#series.values()].slice(0, SHOWN)
    for (const { first, events, from, to } of shown) {
      const { deviceId, eventType, valueNum, valueText, unit, tsDeviceLocal } = first
      const value = `${valueNum ?? oneLine(valueText ?? '(no value)', 40)}${unit === null ? '' : ` ${visible(unit)}`}`
      const local = tsDeviceLocal === null ? '' : `, in the file ${tsDeviceLocal}`
      console.log(
        `  ${visible(deviceId)} ${visible(eventType)}: ${counted(events, 'event')}, ${from} to ${to}`,
      )
      console.log(`    the first in the file: ${value} at ${first.ts}${local}`)
    }
    const left = this.#series.size - shown.length
    if (left > 0 || this.#others > 0) console.log(`  and ${counted(left, 'more series')}`.replace(/s$/, ''))
  }
}
