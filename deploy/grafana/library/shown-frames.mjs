// Runs in Chromium: what Grafana's own library makes from the answers to a panel's queries before the panel draws them.
import {
  applyFieldOverrides,
  createTheme,
  displayNameOverrideProcessor,
  FieldConfigOptionsRegistry,
  standardTransformers,
  standardTransformersRegistry,
  toDataFrame,
  transformDataFrame,
} from '@grafana/data'
import { lastValueFrom, map } from 'rxjs'

export const theme = createTheme()

/**
 * Grafana has these two transformations, but its published libraries do not. This follows its manual, as far as the
 * dashboards use them.
 */
const UNPUBLISHED = [
  {
    id: 'partitionByValues',
    operator: ({ fields: [name] }) => map(([frame]) => partitioned(frame, name)),
  },
  {
    id: 'configFromData',
    operator: ({ configRefId, mappings }) => map((frames) => configured(frames, configRefId, mappings)),
  },
]

function partitioned(frame, name) {
  const key = frame.fields.find((field) => field.name === name)
  return [...new Set(key?.values)].map((value) => ({
    ...frame,
    fields: frame.fields
      .filter((field) => field !== key)
      .map((field) => ({
        ...field,
        labels: { ...field.labels, [name]: value },
        values: field.values.filter((_, index) => key.values[index] === value),
      })),
    length: key.values.filter((each) => each === value).length,
  }))
}

function configured(frames, refId, mappings) {
  const source = frames.find((frame) => frame.refId === refId)
  const settings = Object.fromEntries(
    mappings.map(({ fieldName, handlerKey }) => [
      handlerKey,
      source?.fields.find(({ name }) => name === fieldName)?.values.at(-1),
    ]),
  )
  const withSettings = (field) =>
    field.type === 'number' ? { ...field, config: { ...field.config, ...settings } } : field
  return frames
    .filter((frame) => frame !== source)
    .map((frame) => ({ ...frame, fields: frame.fields.map(withSettings) }))
}

const published = new Map(Object.values(standardTransformers).map((each) => [each.id, each]))
standardTransformersRegistry.setInit(() =>
  [...published.values(), ...UNPUBLISHED].map((each) => ({
    id: each.id,
    name: each.id,
    transformation: each,
  })),
)

const STANDARD = [
  'displayName',
  'unit',
  'decimals',
  'min',
  'max',
  'thresholds',
  'mappings',
  'color',
  'noValue',
  'links',
]

/** The standard properties of a field, and those of its own that the panel sets. */
function propertiesOf({ defaults, overrides }) {
  const custom = [
    ...Object.keys(defaults.custom ?? {}),
    ...overrides
      .flatMap(({ properties }) => properties.map(({ id }) => id))
      .filter((id) => id.startsWith('custom.'))
      .map((id) => id.slice('custom.'.length)),
  ]
  const property = (path, isCustom) => ({
    id: isCustom ? `custom.${path}` : path,
    path,
    name: path,
    isCustom,
    process: path === 'displayName' ? displayNameOverrideProcessor : (value) => value,
    shouldApply: () => true,
  })
  return new FieldConfigOptionsRegistry(() => [
    ...STANDARD.map((path) => property(path, false)),
    ...[...new Set(custom)].map((path) => property(path, true)),
  ])
}

/** The base of thresholds has no value in JSON, which cannot express minus infinity; Grafana restores it. */
function withBase(thresholds) {
  const [base, ...steps] = thresholds.steps
  return { ...thresholds, steps: [{ ...base, value: Number.NEGATIVE_INFINITY }, ...steps] }
}

/** What Grafana makes of the settings of a panel when it loads a dashboard. */
function loaded({ type, fieldConfig: { defaults, overrides = [] } }) {
  return {
    defaults: {
      // The default of the panel plug-in.
      ...(type === 'timeseries' && { color: { mode: 'palette-classic' } }),
      ...defaults,
      ...(defaults.thresholds && { thresholds: withBase(defaults.thresholds) }),
    },
    overrides: overrides.map((override) => ({
      ...override,
      properties: override.properties.map(({ id, value }) => ({
        id,
        value: id === 'thresholds' ? withBase(value) : value,
      })),
    })),
  }
}

/**
 * @param panel of a dashboard, as Grafana reads it
 * @param answers of its queries: `refId` and `fields`
 */
export async function shownFrames(panel, answers) {
  const fieldConfig = loaded(panel)
  const frames = answers.map(toDataFrame)
  return applyFieldOverrides({
    data: await lastValueFrom(transformDataFrame(panel.transformations ?? [], frames)),
    fieldConfig,
    fieldConfigRegistry: propertiesOf(fieldConfig),
    replaceVariables: (text) => text,
    theme,
    timeZone: 'utc',
  })
}
