import {
  type DynamicConfigValue,
  MappingType,
  type Threshold,
  ThresholdsMode,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { DEVICE_UID } from './dashboard-uids.ts'

/* Grafana's overrides: how a column or series of a given name looks. */

export const unit = (name: string): DynamicConfigValue => ({ id: 'unit', value: name })

export const decimals = (count: number): DynamicConfigValue => ({ id: 'decimals', value: count })

export const width = (pixels: number): DynamicConfigValue => ({ id: 'custom.width', value: pixels })

/**
 * Seconds as "03:57:04", "2 d 03:57:04". Grafana's unit `s` gives "1.50 hour", and `dtdurations` "3 hours, 57 minutes",
 * which is cut off in a column of 150 pixels and makes all numbers of a row small.
 */
export const duration: readonly DynamicConfigValue[] = [unit('dtdhms'), width(120)]

/** A time to the second. With milliseconds, Grafana's default, it is cut off in a column of 150 pixels. */
export const second: readonly DynamicConfigValue[] = [unit('dateTimeAsIso'), width(165)]

/** Seconds that may be negative. */
export const offsetSeconds: readonly DynamicConfigValue[] = [
  { id: 'unit', value: 'suffix:s' },
  { id: 'decimals', value: 2 },
]

export const colour = (name: string): DynamicConfigValue => ({
  id: 'color',
  value: { mode: 'fixed', fixedColor: name },
})

/** The text of a cell in the colour of its threshold. */
export const coloured = (
  base: string,
  ...steps: readonly (readonly [number, string])[]
): DynamicConfigValue[] => [
  { id: 'thresholds', value: { mode: ThresholdsMode.Absolute, steps: stepsOf(base, steps) } },
  { id: 'color', value: { mode: 'thresholds' } },
  { id: 'custom.cellOptions', value: { type: 'color-text' } },
]

/** The big number of a stat in the colour of its threshold. */
export const judged = (
  base: string,
  ...steps: readonly (readonly [number, string])[]
): DynamicConfigValue[] => coloured(base, ...steps).slice(0, 2)

/** A bar in the cell, as long as its share of the largest. */
export const gauge: DynamicConfigValue = {
  id: 'custom.cellOptions',
  value: { type: 'gauge', mode: 'gradient', valueDisplayMode: 'text' },
}

/** Values of a cell as coloured pills. */
export const pills = (colours: Readonly<Record<string, string>>): DynamicConfigValue[] => [
  {
    id: 'mappings',
    value: [
      {
        type: MappingType.ValueToText,
        options: Object.fromEntries(
          Object.entries(colours).map(([word, color], index) => [word, { text: word, color, index }]),
        ),
      },
    ],
  },
  { id: 'custom.cellOptions', value: { type: 'color-text' } },
]

/** Links a cell with a device id to the dashboard of that device, with the same time range. */
export const deviceLink: DynamicConfigValue = {
  id: 'links',
  value: [
    {
      title: 'Open this device',
      url: `/d/${DEVICE_UID}?var-device=\${__value.raw:percentencode}&\${__url_time_range}`,
    },
  ],
}

function stepsOf(base: string, steps: readonly (readonly [number, string])[]): Threshold[] {
  return [{ value: null, color: base }, ...steps.map(([value, color]) => ({ value, color }))]
}
