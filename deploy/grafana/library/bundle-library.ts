import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { build, type Plugin } from 'esbuild'

const FOLDER = join(process.cwd(), 'deploy/grafana/library/')

const { overrides } = JSON.parse(readFileSync(`${FOLDER}package.json`, 'utf8')) as {
  readonly overrides: Readonly<Record<string, string>>
}

/** Modules that the published packages import but lack, and packages that package.json leaves out; no test uses them. */
const missing: Plugin = {
  name: 'missing',
  setup(builder) {
    builder.onResolve({ filter: /^@grafana\/schema$/ }, () => ({
      path: `${FOLDER}node_modules/@grafana/schema/dist/cjs/index.cjs`,
    }))
    builder.onResolve({ filter: /^react-router-dom-v5-compat$/ }, () => ({
      path: `${FOLDER}node_modules/react-router-dom/dist/index.js`,
    }))
    const names = Object.keys(overrides).map((name) => name.replaceAll('/', '\\/'))
    builder.onResolve({ filter: new RegExp(`^(${names.join('|')})(\\/|$)`) }, ({ path }) => ({
      path,
      namespace: 'nothing',
    }))
    builder.onLoad({ filter: /.*/, namespace: 'nothing' }, () => ({ contents: 'module.exports = {}' }))
    builder.onResolve({ filter: /^@grafana\/schema\/dist\/esm\/raw\// }, ({ path }) => ({
      path,
      namespace: 'options',
    }))
    builder.onLoad({ filter: /.*/, namespace: 'options' }, () => ({
      contents: 'module.exports = { defaultOptions: {}, defaultFieldConfig: {} }',
    }))
  },
}

export interface LibraryBundle {
  readonly script: string
  readonly style: string
}

/** page.mjs with Grafana's libraries, for Chromium. */
export async function bundleLibrary(): Promise<LibraryBundle> {
  const { outputFiles } = await build({
    entryPoints: [`${FOLDER}page.mjs`],
    bundle: true,
    write: false,
    outdir: '/',
    format: 'iife',
    logLevel: 'silent',
    define: { 'process.env.NODE_ENV': '"production"' },
    loader: { '.svg': 'text', '.woff2': 'empty', '.ttf': 'empty' },
    plugins: [missing],
  })
  const textOf = (end: string) => outputFiles.find(({ path }) => path.endsWith(end))?.text ?? ''
  return { script: textOf('.js'), style: textOf('.css') }
}
