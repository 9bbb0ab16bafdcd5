// Runs in Chromium: what Grafana's own library makes of variables, transformations and cells.
import {
  applyFieldOverrides,
  createTheme,
  FieldConfigOptionsRegistry,
  formattedValueToString,
  getFieldDisplayName,
  standardTransformers,
  standardTransformersRegistry,
  toDataFrame,
  transformDataFrame,
} from '@grafana/data'
import { CustomVariable, EmbeddedScene, SceneFlexLayout, SceneVariableSet, sceneGraph } from '@grafana/scenes'
import { lastValueFrom } from 'rxjs'

const transformers = new Map(Object.values(standardTransformers).map((each) => [each.id, each]))
standardTransformersRegistry.setInit(() =>
  [...transformers.values()].map((each) => ({ id: each.id, name: each.name, transformation: each })),
)

const PROPERTIES = [
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
const registry = new FieldConfigOptionsRegistry(() =>
  PROPERTIES.map((id) => ({ id, path: id, name: id, process: (value) => value, shouldApply: () => true })),
)

/** The columns of a table as they are shown. */
window.shownColumns = async ({ transformations, fieldConfig }, fields) => {
  const frames = await lastValueFrom(transformDataFrame(transformations ?? [], [toDataFrame({ fields })]))
  const data = applyFieldOverrides({
    data: frames,
    fieldConfig,
    fieldConfigRegistry: registry,
    replaceVariables: (text) => text,
    theme: createTheme(),
    timeZone: 'utc',
  })
  return data.flatMap((frame) =>
    frame.fields.map((field) => ({
      name: getFieldDisplayName(field, frame, data),
      hasLink: (field.config.links?.length ?? 0) > 0,
      cells: Array.from(field.values, (value) => formattedValueToString(field.display(value))),
    })),
  )
}

/** A text with the variable `x` in it, as a panel gets it. */
window.interpolated = (value, allValue, text) => {
  const variable = new CustomVariable({
    name: 'x',
    isMulti: Array.isArray(value),
    includeAll: true,
    allValue,
    value,
    text: value,
    query: '',
  })
  const body = new SceneFlexLayout({ children: [] })
  return sceneGraph.interpolate(
    new EmbeddedScene({ $variables: new SceneVariableSet({ variables: [variable] }), body }),
    text,
  )
}
