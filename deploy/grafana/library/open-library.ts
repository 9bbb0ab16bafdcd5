import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { build, type Plugin } from 'esbuild'
import { chromium } from 'playwright-core'
import type { Panel } from '../test/support/queries.ts'

const FOLDER = join(process.cwd(), 'deploy/grafana/library/')

export interface Field {
  readonly name: string
  readonly type: 'string' | 'number' | 'time' | 'boolean'
  readonly values: readonly unknown[]
}

export interface Column {
  readonly name: string
  readonly hasLink: boolean
  readonly cells: readonly string[]
}

export interface Library {
  readonly shownColumns: (panel: Panel, fields: readonly Field[]) => Promise<readonly Column[]>
  readonly interpolated: (value: string | readonly string[], text: string) => Promise<string>
}

/** The libraries name modules that their published packages lack; none of it is needed here. */
const missing: Plugin = {
  name: 'missing',
  setup(builder) {
    builder.onResolve({ filter: /^@grafana\/schema$/ }, () => ({
      path: `${FOLDER}node_modules/@grafana/schema/dist/cjs/index.cjs`,
    }))
    builder.onResolve({ filter: /^@grafana\/schema\/dist\/esm\/raw\// }, ({ path }) => ({
      path,
      namespace: 'options',
    }))
    builder.onLoad({ filter: /.*/, namespace: 'options' }, () => ({
      contents: 'module.exports = { defaultOptions: {}, defaultFieldConfig: {} }',
    }))
    builder.onResolve({ filter: /^react-router-dom-v5-compat$/ }, () => ({
      path: `${FOLDER}node_modules/react-router-dom/dist/index.js`,
    }))
  },
}

/** Grafana's library in Chromium. */
export async function openLibrary(t: TestContext): Promise<Library> {
  const { outputFiles } = await build({
    entryPoints: [`${FOLDER}page.mjs`],
    bundle: true,
    write: false,
    outdir: '/',
    format: 'iife',
    logLevel: 'silent',
    define: { 'process.env.NODE_ENV': '"production"' },
    loader: { '.svg': 'text', '.woff2': 'empty', '.ttf': 'empty', '.css': 'empty' },
    plugins: [missing],
  })
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] })
  t.after(() => browser.close())
  const page = await browser.newPage()
  const html = '<script>window.grafanaBootData = { settings: { featureToggles: {} }, user: {} }</script>'
  await page.route('**/*', (route) => route.fulfill({ contentType: 'text/html', body: html }))
  await page.goto('http://grafana.invalid/')
  await page.addScriptTag({ content: outputFiles.find(({ path }) => path.endsWith('.js'))?.text ?? '' })
  const call = <T>(name: string, ...values: readonly unknown[]) =>
    page.evaluate(`window.${name}(...${JSON.stringify(values)})`) as Promise<T>
  return {
    shownColumns: (panel, fields) => call('shownColumns', panel, fields),
    interpolated: (value, text) => call('interpolated', value, '*', text),
  }
}
