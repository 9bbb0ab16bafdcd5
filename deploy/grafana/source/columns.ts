import {
  type DynamicConfigValue,
  MappingType,
  type Threshold,
  ThresholdsMode,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { DEVICE_UID } from './dashboard-uids.ts'

/* What Grafana calls overrides: how a column or a series of that name looks. */

export const unit = (name: string): DynamicConfigValue => ({ id: 'unit', value: name })

export const decimals = (count: number): DynamicConfigValue => ({ id: 'decimals', value: count })

/** Of seconds: "1 hour, 30 minutes". Grafana's unit `s` says "1 hours", and µs where a clock is not known to a millisecond. */
export const duration: readonly DynamicConfigValue[] = [
  { id: 'unit', value: 'dtdurations' },
  { id: 'decimals', value: 1 },
]

/** Seconds that may be negative. */
export const offsetSeconds: readonly DynamicConfigValue[] = [
  { id: 'unit', value: 'suffix:s' },
  { id: 'decimals', value: 2 },
]

export const width = (pixels: number): DynamicConfigValue => ({ id: 'custom.width', value: pixels })

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

/** Words of a cell as coloured pills. */
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

/** A cell that holds a device id leads to the dashboard of that device, with the time that is shown. */
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
