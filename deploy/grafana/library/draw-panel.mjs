// Runs in Chromium: panels drawn by the components of @grafana/ui. Each kind is assembled like the panel plug-in of that
// name, which Grafana does not publish.
import { dateTime, getDisplayValueAlignmentFactors, getFieldDisplayValues, ThemeContext } from '@grafana/data'
import { BigValue, TimeSeries } from '@grafana/ui'
import { TableNG } from '@grafana/ui/unstable'
import { createElement as h } from 'react'
import { flushSync } from 'react-dom'
import { createRoot } from 'react-dom/client'
import { shownFrames, theme } from './shown-frames.mjs'

const COLUMN = 66
const ROW = 38
const GAP = 8
const TITLE = 32
const DRAWN_WITHIN_MS = 20_000

const KINDS = { timeseries: timeSeries, table, stat: numbers }

/** Texts written on each canvas: the axes of a chart. */
const written = new WeakMap()
const { fillText } = CanvasRenderingContext2D.prototype
CanvasRenderingContext2D.prototype.fillText = function (text, ...place) {
  if (!written.has(this.canvas)) written.set(this.canvas, new Set())
  written.get(this.canvas).add(text)
  return fillText.call(this, text, ...place)
}

/** Empties the page and puts the panels that can be drawn at their places on the dashboard. */
export async function drawPanels(panels, range) {
  for (const section of document.querySelectorAll('section')) section.remove()
  for (const { panel, answers } of panels)
    if (panel.type in KINDS) flushSync(await rendered(panel, answers, range))
  // Charts are drawn some frames after their place is known, on a busy machine much later.
  const sections = [...document.querySelectorAll('section')]
  const endMs = performance.now() + DRAWN_WITHIN_MS
  while (performance.now() < endMs && sections.some(isBlankChart)) await new Promise(requestAnimationFrame)
  return sections.map(readPanel)
}

/** A chart with data that is not drawn yet; its legend may be there already. */
function isBlankChart(place) {
  return place.dataset.kind === 'timeseries' && !('isEmpty' in place.dataset) && readPanel(place).marks === 0
}

/** Returns a DrawnPanel of open-library.ts. */
function readPanel(place) {
  const { title, kind } = place.dataset
  const [, content] = place.children
  const cells = [...content.querySelectorAll('[role=gridcell]')]
  const canvas = content.querySelector('canvas')
  const axes = [...(written.get(canvas) ?? [])]
  const leaves = [...content.querySelectorAll('*')].filter(
    (each) => each.children.length === 0 && each.textContent !== '' && each.checkVisibility(),
  )
  return {
    title,
    kind,
    axes,
    texts: [...leaves.map((each) => each.textContent), ...axes],
    cutOff: cells.filter(isCutOff).map((cell) => cell.textContent),
    largestPixels: Math.max(...leaves.map((each) => Number.parseFloat(getComputedStyle(each).fontSize))),
    ...(canvas === null ? { marks: 0, widestGap: 0 } : marksOf(canvas)),
  }
}

/** A text may be too long for its column, but a number may not. */
function isCutOff(cell) {
  return /^-?[\d.,:]+( \S+)?$|^\d{4}-\d\d-\d\d/.test(cell.textContent) && cell.scrollWidth > cell.clientWidth
}

/** Pixels that are not grey, and the widest part without any, as a share of the width. */
function marksOf(canvas) {
  const { width, height } = canvas
  const { data } = canvas.getContext('2d').getImageData(0, 0, width, height)
  const columns = new Array(width).fill(0)
  for (let place = 0; place < data.length; place += 4) {
    const colours = data.subarray(place, place + 3)
    if (data[place + 3] > 40 && Math.max(...colours) - Math.min(...colours) > 50)
      columns[(place / 4) % width]++
  }
  const marked = columns.flatMap((count, x) => (count > 0 ? [x] : []))
  const gaps = marked.slice(1).map((x, index) => x - marked[index])
  return { marks: columns.reduce((sum, count) => sum + count, 0), widestGap: Math.max(0, ...gaps) / width }
}

async function rendered(panel, answers, range) {
  const place = placed(panel)
  const frames = await shownFrames(panel, answers)
  const size = {
    width: place.clientWidth - 2 * GAP,
    height: place.clientHeight - TITLE - GAP,
  }
  const isEmpty = frames.every(({ length }) => length === 0)
  if (isEmpty) place.dataset.isEmpty = ''
  const content = isEmpty
    ? h('p', null, panel.fieldConfig.defaults.noValue)
    : KINDS[panel.type](panel, frames, { ...size, range })
  const root = createRoot(place)
  return () =>
    root.render(
      h(
        ThemeContext.Provider,
        { value: theme },
        h('div', { style: { height: TITLE, padding: GAP, boxSizing: 'border-box' } }, panel.title),
        h('div', { style: { padding: `0 ${GAP}px` } }, content),
      ),
    )
}

/** The frame of a panel, at its place on the dashboard. */
function placed({ title, type, gridPos: { x, y, w, h: rows } }) {
  const place = document.body.appendChild(document.createElement('section'))
  Object.assign(place.dataset, { title, kind: type })
  Object.assign(place.style, {
    position: 'absolute',
    left: `${x * COLUMN}px`,
    top: `${y * ROW}px`,
    width: `${w * COLUMN - GAP}px`,
    height: `${rows * ROW - GAP}px`,
    background: theme.colors.background.primary,
    color: theme.colors.text.primary,
    font: `${theme.typography.fontSize}px sans-serif`,
    overflow: 'hidden',
  })
  return place
}

function timeSeries({ options, timeFrom }, frames, { width, height, range: { from: start, to } }) {
  const from = timeFrom === undefined ? start : to - Number.parseInt(timeFrom, 10) * 86_400_000
  const raw = { from: dateTime(from), to: dateTime(to) }
  return h(TimeSeries, {
    frames,
    width,
    height,
    timeRange: { ...raw, raw },
    timeZone: 'utc',
    legend: { calcs: [], ...options.legend },
    options,
  })
}

function table({ fieldConfig }, frames, { width, height }) {
  return h(TableNG, { data: frames[0], width, height, fieldConfig, enableVirtualization: false })
}

function numbers({ options, fieldConfig }, frames, { width, height }) {
  const values = getFieldDisplayValues({
    fieldConfig,
    reduceOptions: options.reduceOptions,
    replaceVariables: (text) => text,
    theme,
    data: frames,
    timeZone: 'utc',
  })
  const alignmentFactors = getDisplayValueAlignmentFactors(values)
  const each = width / values.length
  return h(
    'div',
    { style: { display: 'flex' } },
    values.map(({ display }, index) =>
      h(BigValue, {
        key: index,
        value: display,
        width: each,
        height,
        theme,
        count: values.length,
        alignmentFactors,
        colorMode: options.colorMode,
        graphMode: 'none',
        textMode: options.textMode,
        justifyMode: options.justifyMode,
        disableWideLayout: !options.wideLayout,
      }),
    ),
  )
}
