import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { type Browser, chromium, type Page } from 'playwright-core'
import { COVERED, HOURLY } from '../../packages/qs/src/console/queries/read-series.ts'
import { followEvents } from '../../packages/qs/src/hours/event-hours.ts'
import { readFlags, runCommand } from '../flags.ts'
import { Progress } from '../report/progress.ts'
import { startDatabase } from '../stack/database.ts'
import { fillYear } from './fill.ts'
import { startConsole } from './start-console.ts'

const HELP = `Times how long a chart of a year takes in the browser, from the click to the drawn line, query included.

  npm run bench:console -- [options]

  --events N    events of all devices, half of them in the charted series (default 2000000: about two minutes to fill)
  --runs N      number of runs; the median counts (default 15)
  --plan        also prints the query plan

Needs Chromium (apt-get install chromium, or name one in CHROMIUM) and the built pages (npm run build).
Exit codes: 0 measured, 1 failed, 2 wrong usage. A slow chart is not a failure: the machine may be busy.`

const GOAL_MS = 500
const YEAR_MS = 365 * 86_400_000
const PROGRAM = process.env.CHROMIUM ?? '/usr/bin/chromium'

interface Drawn {
  /** From the click until uPlot has drawn. */
  readonly wholeMs: number
  /** The part of it spent on the request of /api/series, as seen by the browser. */
  readonly requestMs: number
}

/**
 * Clicks the year in the page as a user does. A chart names the range it has drawn in its attribute data-drawn, and the
 * page itself takes the time.
 */
async function drawYear(page: Page): Promise<Drawn> {
  await page.getByRole('button', { name: '24h' }).click()
  await page.waitForFunction(drawnSince, 2 * 86_400_000)
  return page.evaluate(async (yearMs) => {
    const chart = document.querySelector<HTMLElement>('.plot')
    const button = [...document.querySelectorAll('button')].find(({ textContent }) => textContent === '1y')
    if (chart === null || button === undefined) throw new Error('The page has no chart or no button 1y')
    performance.clearResourceTimings()
    const start = performance.now()
    const wholeMs = await new Promise<number>((resolve) => {
      const observer = new MutationObserver(() => {
        const [from = '', points] = chart.dataset.drawn?.split('/') ?? []
        if (!(Date.now() - Date.parse(from) > 0.9 * yearMs && Number(points) > 0)) return
        observer.disconnect()
        resolve(performance.now() - start)
      })
      observer.observe(chart, { attributes: true })
      button.click()
    })
    const request = performance.getEntriesByType('resource').find(({ name }) => name.includes('/api/series'))
    return { wholeMs, requestMs: request?.duration ?? Number.NaN }
  }, YEAR_MS)
}

/** Runs in the page: whether the chart has points and shows at most the last `mostMs`. */
function drawnSince(mostMs: number): boolean {
  const [from = '', points] = document.querySelector<HTMLElement>('.plot')?.dataset.drawn?.split('/') ?? []
  return Date.now() - Date.parse(from) < mostMs && Number(points) > 0
}

async function bench({ events, runs, isPlan }: Options): Promise<void> {
  const progress = new Progress(process.stderr)
  const parent = mkdtempSync(join(tmpdir(), 'qs-bench-console-'))
  const database = await startDatabase(join(parent, 'postgres'))
  const stops: (() => Promise<unknown>)[] = [() => database.stop()]
  try {
    const url = await database.fresh('year')
    const client = new Client({ connectionString: url })
    await client.connect()
    stops.push(() => client.end())
    await fillYear(client, events, (share) => progress.say(`filling: ${Math.floor(100 * share)} %`))
    progress.say('counting the hours')
    while (!(await followEvents(client)));
    await client.query('vacuum analyze event_hours')
    progress.clear()

    const browser = await chromium.launch({ executablePath: PROGRAM, args: ['--no-sandbox'] })
    stops.push(() => browser.close())
    const console_ = await startConsole(url)
    stops.push(console_.stop)
    const drawn = await drawOften(browser, `${console_.url}/explore?device=board-00&type=load`, runs)
    const { rows } = await client.query<{ n: string }>(
      `select count(*) as n from events where device_id = 'board-00'`,
    )
    print(drawn, { database: database.version, inSeries: Number(rows[0]?.n), events })
    if (isPlan) await printPlan(client)
  } finally {
    progress.clear()
    for (const stop of stops.reverse()) await stop().catch(() => {})
    rmSync(parent, { recursive: true, force: true })
  }
}

async function drawOften(browser: Browser, url: string, runs: number): Promise<readonly Drawn[]> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 860 } })
  await page.goto(url)
  await page.locator('.plot[data-drawn]').waitFor()
  // The first one reads from disk what the others find in memory.
  const drawn: Drawn[] = [await drawYear(page)]
  while (drawn.length < runs + 1) drawn.push(await drawYear(page))
  return drawn
}

function print(
  drawn: readonly Drawn[],
  about: { readonly database: string; readonly inSeries: number; readonly events: number },
): void {
  const [first, ...rest] = drawn
  const sorted = (pick: (each: Drawn) => number) => rest.map(pick).toSorted((a, b) => a - b)
  const [whole, request] = [sorted(({ wholeMs }) => wholeMs), sorted(({ requestMs }) => requestMs)]
  const row = (name: string, all: readonly number[], cold: number | undefined) =>
    `| ${name} | ${cold?.toFixed(0)} | ${all[0]?.toFixed(0)} | ${all[Math.floor(all.length / 2)]?.toFixed(0)} | ${all.at(-1)?.toFixed(0)} |`
  const { database, inSeries, events } = about
  console.log(
    `${new Date().toISOString().slice(0, 10)}, ${cpus().length} × ${cpus()[0]?.model}, load ${loadavg()[0]?.toFixed(1)}, PostgreSQL ${database}, ` +
      `${events.toLocaleString('en')} events, ${inSeries.toLocaleString('en')} of them in the chart; goal ${GOAL_MS} ms\n`,
  )
  console.log('| ms | first | minimum | median | maximum |\n|---|---|---|---|---|')
  console.log(row('click to drawn', whole, first?.wholeMs))
  console.log(row('request alone', request, first?.requestMs))
}

async function printPlan(client: Client): Promise<void> {
  const [from, to] = [new Date(Date.now() - YEAR_MS).toISOString(), new Date().toISOString()]
  const [covered] = (await client.query<{ from: string; to: string }>(COVERED, [from, to])).rows
  const values = [['board-00'], ['load'], from, to, '43200 seconds', covered?.from, covered?.to]
  const { rows } = await client.query<{ 'QUERY PLAN': string }>(
    `explain (analyze, buffers) ${HOURLY}`,
    values,
  )
  console.log(`\n${rows.map((row) => row['QUERY PLAN']).join('\n')}`)
}

interface Options {
  readonly events: number
  readonly runs: number
  readonly isPlan: boolean
}

function readOptions(args: readonly string[]): Options | null {
  const flags = readFlags(args, { texts: ['events', 'runs'], switches: ['plan'] })
  if (flags.is('help')) return null
  return {
    events: flags.number('events', 2_000_000),
    runs: flags.number('runs', 15),
    isPlan: flags.is('plan'),
  }
}

await runCommand(async () => {
  const options = readOptions(process.argv.slice(2))
  if (options === null) console.log(HELP)
  else await bench(options)
  return true
})
