import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Client } from 'pg'
import { readFlags, runCommand } from '../flags.ts'
import { Progress } from '../report/progress.ts'
import { treeCpuSeconds } from '../runs/process-usage.ts'
import { type Database, startDatabase } from '../stack/database.ts'
import { backendOf, DAY_MS, EVENTS_A_DAY, fillRows, repeatDays, type Sealed, sealDays } from './fill.ts'
import { QUESTIONS } from './questions.ts'
import { writeRate } from './write-rate.ts'

const HELP = `Measures years on a small disk: 30 boards with five sensors every ten seconds, sealed.

  npm run bench:years -- [options]

  --events N       sealed events (default 100000000: ten minutes, 3 GB of disk)
  --days N         days sealed by the sealing function (default 4: 5.2 million); the rest repeats them, with other times and ids
  --row-days N     days of rows behind the newest sealed event (default 7: 9 million)
  --runs N         runs of each question; the median counts (default 11)
  --turns N        turns of writing into the full and into an empty database (default 5)
  --plan           also prints the plan of a day from segments
  --quick          one day, no repeats, a small number of everything: only shows that it works
  --dir DIR        directory for PostgreSQL's files (default: the system's temporary directory)

Exit codes: 0 measured, 1 failed, 2 wrong usage. A missed goal is not a failure: the machine may be busy.`

type Row = readonly [what: string, measured: string, goal: string]

async function bench(options: Options): Promise<void> {
  const progress = new Progress(process.stderr)
  const parent = mkdtempSync(join(options.dir, 'qs-bench-years-'))
  const database = await startDatabase(join(parent, 'postgres'))
  try {
    const rows = measure(database, options, progress)
    console.log(
      `${new Date().toISOString().slice(0, 10)}, ${cpus().length} × ${cpus()[0]?.model}, load ${loadavg()[0]?.toFixed(1)}, PostgreSQL ${database.version}\n`,
    )
    console.log('| what | measured | goal |\n|---|---|---|')
    for await (const row of rows) console.log(`| ${row.join(' | ')} |`)
  } finally {
    progress.clear()
    await database.stop()
    rmSync(parent, { recursive: true, force: true })
  }
}

async function* measure(database: Database, options: Options, progress: Progress): AsyncGenerator<Row> {
  const { events, days, rowDays, isQuick } = options
  const rowsFrom = new Date(Date.now() - rowDays * DAY_MS - 60_000)
  const from = new Date(rowsFrom.getTime() - days * DAY_MS)
  const url = await database.fresh('years')
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    const started = performance.now()
    const sealed = await sealDays(url, { ids: 'ordered', from, days }, (day) =>
      progress.say(`sealed day ${day + 1}`),
    )
    progress.done(`sealed ${sealed.events.toLocaleString('en')} events in ${secondsSince(started)} s`)
    const repeats = isQuick ? 0 : Math.max(0, Math.round(events / sealed.events) - 1)
    await repeatDays(client, repeats, days)
    progress.done(`repeated them ${repeats} times, after ${secondsSince(started)} s`)
    const ordered = await bytesAnEvent(client)
    await fillRows(client, rowsFrom, rowDays)
    progress.done(`filled ${rowDays} days of rows, after ${secondsSince(started)} s`)
    const { rows } = await client.query<{ gb: string; sealed: string; rows: string }>(`
      select round(pg_database_size(current_database()) / 1e9, 2) as gb, (select sum(events) from event_segments) as sealed,
        (select count(*) from events) as rows`)
    const at = new Date(from.getTime() - Math.floor(repeats / 2) * days * DAY_MS)
    yield ['bytes an event, sealed, ids in order', ordered.toFixed(1), '≤ 16']
    yield ['sealed a second of one core', rate(sealed), '≥ 150,000']
    const size = `${million(rows[0]?.sealed)} sealed and ${million(rows[0]?.rows)} rows, all of the database`
    yield [size, `${rows[0]?.gb} GB`, '≤ 6 GB for 100 and 9']
    yield* askAll(client, options, { at, rowsFrom })
    const share = 'write rate with that behind, of the rate into an empty database'
    yield [share, await writeShare(database, url, options), '≥ 0.95']
    yield ['bytes an event, sealed, random UUIDs', (await randomBytes(database, from)).toFixed(1), '≤ 40']
  } finally {
    await client.end()
  }
}

async function* askAll(
  client: Client,
  { runs, isPlan }: Options,
  times: { readonly at: Date; readonly rowsFrom: Date },
): AsyncGenerator<Row> {
  const pid = await backendOf(client)
  for (const { what, sql, values, goal } of QUESTIONS(times)) {
    const took: number[] = []
    await client.query(sql, [...values])
    const before = treeCpuSeconds(pid) ?? Number.NaN
    for (let run = 0; run < runs; run++) {
      const start = performance.now()
      await client.query(sql, [...values])
      took.push(performance.now() - start)
    }
    const cpuMs = (((treeCpuSeconds(pid) ?? Number.NaN) - before) * 1000) / runs
    const [median, least] = [took.toSorted((a, b) => a - b)[Math.floor(runs / 2)], Math.min(...took)]
    yield [what, `${median?.toFixed(1)} ms (least ${least.toFixed(1)}, CPU ${cpuMs.toFixed(1)})`, goal]
  }
  const [day] = QUESTIONS(times)
  if (isPlan && day !== undefined) {
    const { rows } = await client.query<{ 'QUERY PLAN': string }>(`explain (analyze, buffers) ${day.sql}`, [
      ...day.values,
    ])
    console.log(`${rows.map((row) => row['QUERY PLAN']).join('\n')}\n`)
  }
}

async function bytesAnEvent(client: Client): Promise<number> {
  const { rows } = await client.query<{ bytes: string }>(
    `select pg_total_relation_size('event_segments')::float8 / sum(events) as bytes from event_segments`,
  )
  return Number(rows[0]?.bytes)
}

async function randomBytes(database: Database, from: Date): Promise<number> {
  const url = await database.fresh('random')
  await sealDays(url, { ids: 'random', from, days: 1 }, () => {})
  const client = new Client({ connectionString: url })
  await client.connect()
  const bytes = await bytesAnEvent(client)
  await client.end()
  await database.drop('random')
  return bytes
}

/** In turns, so that a machine that is slow for a while slows both. */
async function writeShare(database: Database, full: string, { turns, isQuick }: Options): Promise<string> {
  const empty = await database.fresh('empty')
  const shares: number[] = []
  for (let turn = 0; turn < turns; turn++) {
    const batches = isQuick ? 4 : 10
    const [one, other] = [await writeRate(full, turn, batches), await writeRate(empty, turn, batches)]
    shares.push(one / other)
  }
  const sorted = shares.toSorted((a, b) => a - b)
  return `${sorted[Math.floor(turns / 2)]?.toFixed(2)} (${sorted[0]?.toFixed(2)} to ${sorted.at(-1)?.toFixed(2)})`
}

const rate = ({ events, cpuSeconds }: Sealed) => Math.round(events / cpuSeconds).toLocaleString('en')
const million = (count: string | undefined) => `${(Number(count) / 1e6).toFixed(1)} million`
const secondsSince = (start: number) => ((performance.now() - start) / 1000).toFixed(0)

interface Options {
  readonly events: number
  readonly days: number
  readonly rowDays: number
  readonly runs: number
  readonly turns: number
  readonly isPlan: boolean
  readonly isQuick: boolean
  readonly dir: string
}

function readOptions(args: readonly string[]): Options | null {
  const flags = readFlags(args, {
    texts: ['events', 'days', 'row-days', 'runs', 'turns', 'dir'],
    switches: ['plan', 'quick'],
  })
  if (flags.is('help')) return null
  const isQuick = flags.is('quick')
  return {
    events: flags.number('events', isQuick ? EVENTS_A_DAY : 100_000_000),
    days: flags.number('days', isQuick ? 1 : 4),
    rowDays: flags.number('row-days', isQuick ? 1 : 7),
    runs: flags.number('runs', isQuick ? 3 : 11),
    turns: flags.number('turns', isQuick ? 1 : 5),
    isPlan: flags.is('plan'),
    isQuick,
    dir: resolve(flags.text('dir', tmpdir())),
  }
}

await runCommand(async () => {
  const options = readOptions(process.argv.slice(2))
  if (options === null) console.log(HELP)
  else await bench(options)
  return true
})
