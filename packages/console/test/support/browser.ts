import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { atEnd } from '@qs-telemetry/testing/at-end.ts'
import axe from 'axe-core'
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  type Page,
  chromium as playwright,
} from 'playwright-core'

/** The shell first: it has the same engine, and takes a third of the CPU for a page, since it has no windows. */
const CANDIDATES = [
  process.env.CHROMIUM,
  'chromium-headless-shell',
  'chromium',
  'chromium-browser',
  'google-chrome-stable',
]
const program = CANDIDATES.find((each) => each && spawnSync(each, ['--version']).status === 0)
const areBuilt = existsSync(fileURLToPath(new URL('../../dist/index.html', import.meta.url)))

/** Why browser tests are skipped, or false. In CI they must not be skipped silently. */
export const browserMissing: string | false = (() => {
  const why =
    program === undefined
      ? 'there is no Chromium: apt-get install chromium, or name one in CHROMIUM'
      : areBuilt
        ? false
        : 'the pages are not built: npm run build'
  if (why !== false && process.env.CI) throw new Error(`${why}; CI must not skip the tests of the pages`)
  return why
})()

let chromium: Promise<Browser> | undefined

/** One for all tests of a process; each has its own contexts, which share nothing. */
function sharedChromium(): Promise<Browser> {
  chromium ??= launch()
  return chromium
}

async function launch(): Promise<Browser> {
  const found = spawnSync('sh', ['-c', 'command -v "$0"', program ?? ''])
    .stdout.toString()
    .trim()
  // Chromium's own sandbox does not work as root or in most containers; the pages are our own.
  const browser = await playwright.launch({ executablePath: found, args: ['--no-sandbox'] })
  atEnd(() => browser.close())
  return browser
}

export type TestBrowser = Pick<Browser, 'newContext'>

/**
 * Its pages close with the test. Start it before the server: hooks run in the order of registration, and a page would log
 * errors when its server stops first.
 */
export async function startBrowser(t: TestContext): Promise<TestBrowser> {
  const browser = await sharedChromium()
  const contexts: BrowserContext[] = []
  t.after(() => Promise.all(contexts.map((context) => context.close())))
  return {
    newContext: async (options) => {
      const context = await browser.newContext(options)
      contexts.push(context)
      return context
    },
  }
}

export interface OpenOptions extends BrowserContextOptions {
  /** URLs whose responses of 400 and above are expected. */
  readonly expected?: RegExp
}

/** Opens a page that fails the test if it logs an error or sends a request to another server. */
export async function openPage(
  t: TestContext,
  browser: TestBrowser,
  url: string,
  options: OpenOptions = {},
): Promise<Page> {
  const { expected, ...rest } = options
  const context = await browser.newContext({ timezoneId: 'Europe/Berlin', reducedMotion: 'reduce', ...rest })
  const page = await context.newPage()
  // A page takes a second; on a loaded machine thirty.
  page.setDefaultTimeout(60_000)
  const complaints: string[] = []
  page.on('pageerror', ({ message }) => complaints.push(message))
  page.on('console', (message) => {
    // Chromium logs each response of 400 and above; those are checked below.
    const isAnswer = message.text().startsWith('Failed to load resource')
    if ((message.type() === 'error' || message.type() === 'warning') && !isAnswer)
      complaints.push(message.text())
  })
  page.on('request', (request) => {
    if (!request.url().startsWith(new URL(url).origin) && !/^(data|blob):/.test(request.url()))
      complaints.push(`asks ${request.url()}`)
  })
  page.on('response', (response) => {
    if (response.status() >= 400 && !expected?.test(response.url()))
      complaints.push(`${response.status()} ${response.url()}`)
  })
  t.after(async () => {
    await context.close().catch(() => {})
    assert.deepEqual(complaints, [], 'the page complains')
  })
  await page.goto(url)
  return page
}

/**
 * Accessibility faults that axe finds, one per line; ideally none.
 *
 * @param rules only these rules; all if empty
 */
export async function accessibilityFaults(
  page: Page,
  rules: readonly string[] = [],
): Promise<readonly string[]> {
  // A walk does not reload the page, so axe may be there already.
  if (await page.evaluate(() => !('axe' in globalThis))) await page.evaluate(axe.source)
  const { violations } = await page.evaluate(
    (only) =>
      (globalThis as unknown as { axe: typeof axe }).axe.run({
        resultTypes: ['violations'],
        ...(only.length > 0 && { runOnly: [...only] }),
      }),
    rules,
  )
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`))
}

const SIZES = {
  wide: { width: 1280, height: 900 },
  phone: { width: 390, height: 844 },
} as const

/** Pictures of a page for a person, wide, as on a phone, and dark, if PICTURES names a folder. */
export async function pictures(page: Page, name: string): Promise<void> {
  const folder = process.env.PICTURES
  if (folder === undefined) return
  const before = page.viewportSize()
  for (const [size, viewport] of Object.entries(SIZES))
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.setViewportSize(viewport)
      await page.emulateMedia({ colorScheme })
      await page.screenshot({ path: `${folder}/${name}-${size}-${colorScheme}.png`, fullPage: true })
    }
  await page.emulateMedia({ colorScheme: null })
  if (before !== null) await page.setViewportSize(before)
}
