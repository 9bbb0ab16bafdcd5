/// <reference lib="dom" />
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Series } from '@qs-telemetry/protocol/api'
import { startTestConsole } from '@qs-telemetry/testing/console.ts'
import type { Page } from 'playwright-core'
import { browserMissing, openPage, startBrowser } from '../support/browser.ts'
import { answerOf, BEGIN_S, CHART_CASES, type ChartCase, RANGE_S } from '../support/chart-cases.ts'
import { FIRST_COLOUR, inkedColumns } from '../support/inked-columns.ts'

/** Shares of the range around a point: all, some, very little. */
const ZOOMS = [1, 0.15, 0.01]
/** A point is drawn within the first distance from its place, and nothing of it beyond the second. */
const [REACH_PX, AROUND_PX] = [3, 5]

test('pictures of lines: every point is visible at every zoom, and lines break only where a device was silent', {
  skip: browserMissing,
}, async (t) => {
  const browser = await startBrowser(t)
  const running = await startTestConsole(t)
  const page = await openPage(t, browser, `${running.url}/explore`, { colorScheme: 'light' })
  let shown = CHART_CASES[0]
  await page.route('**/api/series?*', async (route) => {
    const query = new URL(route.request().url()).searchParams
    const [from, to] = ['from', 'to'].map((name) => Date.parse(query.get(name) ?? '') / 1000)
    if (shown) await route.fulfill({ json: within(answerOf(shown), from ?? 0, to ?? 0) })
  })

  for (const [index, each] of CHART_CASES.entries()) {
    await t.test(each.name, async () => {
      shown = each
      for (const zoom of ZOOMS) {
        const middle =
          zoom === 1 ? RANGE_S / 2 - index : (each.times[Math.floor(each.times.length * 0.4)] ?? 0)
        const view = [middle - (RANGE_S * zoom) / 2, middle + (RANGE_S * zoom) / 2 + 1] as const
        const columns = await picture(page, view)
        const xOf = (time: number) => ((time - view[0]) / (view[1] - view[0])) * columns.length
        const isInked = (x: number, reach: number) =>
          columns.slice(Math.max(0, Math.round(x) - reach), Math.round(x) + reach + 1).includes(true)
        for (const time of each.times.filter((time) => time >= view[0] && time < view[1]))
          assert.ok(isInked(xOf(time), REACH_PX), `the point at ${time} s is visible in a view of ${zoom}`)
        if (zoom === 1) assertPieces(each, xOf, (x) => isInked(x, 0))
      }
    })
  }
})

/** Between two points the line is unbroken, or in a gap absent. */
function assertPieces(
  { times, gaps }: ChartCase,
  xOf: (time: number) => number,
  isInked: (x: number) => boolean,
): void {
  for (const [index, to] of times.entries()) {
    const from = times[index - 1] ?? to
    const isGap = gaps.some(([begin, end]) => begin === from && end === to)
    for (let x = Math.ceil(xOf(from) + AROUND_PX); x < xOf(to) - AROUND_PX; x++)
      assert.equal(
        isInked(x),
        !isGap,
        `${isGap ? 'a silence' : 'a line'} from ${from} s to ${to} s, at pixel ${x}`,
      )
  }
}

function within(answer: Series, from: number, to: number): Series {
  const lines = answer.lines.map((line) => {
    const isIn = (_: number, index: number) =>
      (line.times[index] ?? 0) >= from && (line.times[index] ?? 0) < to
    const [times, mean, min, max] = [line.times, line.mean, line.min, line.max].map((each) =>
      each.filter(isIn),
    )
    return { ...line, times: times ?? [], mean: mean ?? [], min: min ?? [], max: max ?? [] }
  })
  return { ...answer, from: iso(from), to: iso(to), lines: lines.filter(({ times }) => times.length > 0) }
}

const iso = (seconds: number) => new Date(seconds * 1000).toISOString()

/** Goes to a view and waits until it is drawn. */
async function picture(page: Page, view: readonly [number, number]): Promise<readonly boolean[]> {
  const [from = '', to = ''] = view.map((seconds) => iso(BEGIN_S + seconds))
  const query = new URLSearchParams({ device: 'kitchen', type: 'temp', from, to })
  await page.evaluate((url) => {
    // Whatever is drawn from now on answers this request.
    delete document.querySelector<HTMLElement>('.plot')?.dataset.drawn
    history.pushState(null, '', url)
    dispatchEvent(new PopStateEvent('popstate'))
  }, `/explore?${query}`)
  await page.locator(`.plot[data-drawn^="${from}"]`).waitFor()
  await page.locator('figure.chart[aria-busy="false"]').waitFor()
  return inkedColumns(page, FIRST_COLOUR)
}
