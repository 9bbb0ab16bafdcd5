// Runs in Chromium: the functions of Grafana's own library that the tests call.
import { formattedValueToString, getFieldDisplayName } from '@grafana/data'
import { CustomVariable, EmbeddedScene, SceneFlexLayout, SceneVariableSet, sceneGraph } from '@grafana/scenes'
import { drawPanels } from './draw-panel.mjs'
import { shownFrames } from './shown-frames.mjs'

window.drawPanels = drawPanels

/** The columns of a table as they are shown. */
window.shownColumns = async (panel, fields) => {
  const data = await shownFrames(panel, [{ refId: 'A', fields }])
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
