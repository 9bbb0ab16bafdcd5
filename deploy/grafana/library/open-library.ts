import type { TestContext } from 'node:test'
import { chromium, type Page } from 'playwright-core'
import type { Panel } from '../test/support/queries.ts'
import type { Field } from './answer-fields.ts'
import { bundleLibrary } from './bundle-library.ts'

export interface Column {
  readonly name: string
  readonly hasLink: boolean
  readonly cells: readonly string[]
}

/** A panel and the answer to each of its queries. */
export interface AnsweredPanel {
  readonly panel: Panel
  readonly answers: readonly { readonly refId: string; readonly fields: readonly Field[] }[]
}

/** What can be read from a panel's picture. */
export interface DrawnPanel {
  readonly title: string
  readonly kind: string
  /** Texts of its cells, numbers, legend and axes. */
  readonly texts: readonly string[]
  /** Texts of its axes alone. */
  readonly axes: readonly string[]
  /** Numbers and times that do not fit into their cell. */
  readonly cutOff: readonly string[]
  /** Height of its largest text. */
  readonly largestPixels: number
  /** Pixels in the colours of lines and bars. */
  readonly marks: number
  /** The widest part of a chart without such a pixel, between two with one: a share of its width. */
  readonly widestGap: number
}

export interface Library {
  readonly page: Page
  readonly shownColumns: (panel: Panel, fields: readonly Field[]) => Promise<readonly Column[]>
  readonly interpolated: (value: string | readonly string[], text: string) => Promise<string>
  /** Draws panels at their places on the dashboard. Kinds that Grafana does not publish are left out. */
  readonly draw: (
    panels: readonly AnsweredPanel[],
    range: { readonly from: Date; readonly to: Date },
  ) => Promise<readonly DrawnPanel[]>
}

const HTML = `<!doctype html>
  <style>body { margin: 0; background: #111217 } button { color: inherit; background: none; border: 0 }</style>
  <script>window.grafanaBootData = { settings: { featureToggles: {} }, user: {} }</script>`

/** Grafana's library in Chromium. */
export async function openLibrary(t: TestContext): Promise<Library> {
  const { script, style } = await bundleLibrary()
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] })
  t.after(() => browser.close())
  const page = await browser.newPage({ viewport: { width: 1600, height: 2600 } })
  await page.route('**/*', (route) => route.fulfill({ contentType: 'text/html', body: HTML }))
  await page.goto('http://grafana.invalid/')
  await page.addStyleTag({ content: style })
  await page.addScriptTag({ content: script })
  const call = <T>(name: string, ...values: readonly unknown[]) =>
    page.evaluate(`window.${name}(...${JSON.stringify(values)})`) as Promise<T>
  return {
    page,
    shownColumns: (panel, fields) => call('shownColumns', panel, fields),
    interpolated: (value, text) => call('interpolated', value, '*', text),
    draw: (panels, { from, to }) => call('drawPanels', panels, { from: from.getTime(), to: to.getTime() }),
  }
}
