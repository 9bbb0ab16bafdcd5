import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { ALL } from '../../deploy/grafana/source/sql.ts'
import { expand } from '../../deploy/grafana/test/support/expand.ts'
import {
  type Query,
  queriesOf,
  readAlertRules,
  readDashboards,
} from '../../deploy/grafana/test/support/queries.ts'
import { readFlags, runCommand } from '../flags.ts'
import { Progress } from '../report/progress.ts'
import { machineCpuSeconds, treeCpuSeconds } from '../runs/process-usage.ts'
import { startDatabase } from '../stack/database.ts'
import { type Fleet, fillDatabase, MAX_TYPES } from './fill.ts'

const HELP = `Times every query of the Grafana dashboards and alert rules on a database of many rows.

  npm run bench:grafana -- [options]

  --rows N      events (default 10000000: some minutes to fill, 5 GB of disk)
  --days N      time span of the events (default 30); for a first look, 1000000 in 3 days is the same number per day
  --devices N   devices (default 100)
  --types N     series per device, up to 5 (default 4)
  --hours N     time range of the dashboards (default 24)
  --runs N      runs of each query; the median counts (default 5)
  --dir DIR     directory for PostgreSQL's files (default: the system's temporary directory)

Exit codes: 0 every query takes at most 500 ms, 1 one is slower or failed, 2 wrong usage.`

const GOAL_MS = 500
/** Points of a chart on a usual screen: Grafana rounds 24 hours over some 700 pixels to two minutes per point. */
const POINTS = 720

interface Options extends Fleet {
  readonly hours: number
  readonly runs: number
  readonly dir: string
}

interface Timing {
  readonly name: string
  /** Median of the runs. */
  readonly ms: number
  /** CPU time of PostgreSQL, mean of the runs: unlike `ms`, hardly affected by a busy machine. */
  readonly cpuMs: number
  readonly rows: number
}

interface Backend {
  readonly client: Client
  readonly pid: number
}

async function measure({ client, pid }: Backend, sql: string, runs: number): Promise<Omit<Timing, 'name'>> {
  const times: number[] = []
  let rows = 0
  const cpuBefore = treeCpuSeconds(pid) ?? Number.NaN
  for (let run = 0; run < runs; run++) {
    const start = performance.now()
    rows = (await client.query(sql)).rows.length
    times.push(performance.now() - start)
  }
  const cpuMs = (((treeCpuSeconds(pid) ?? Number.NaN) - cpuBefore) * 1000) / runs
  return { ms: times.toSorted((a, b) => a - b)[Math.floor(runs / 2)] ?? 0, cpuMs, rows }
}

async function bench(options: Options): Promise<boolean> {
  const progress = new Progress(process.stderr)
  const parent = mkdtempSync(join(options.dir, 'qs-bench-grafana-'))
  const database = await startDatabase(join(parent, 'postgres'))
  try {
    const client = new Client({ connectionString: await database.fresh('panels') })
    await client.connect()
    await fillDatabase(client, options, (share) => progress.say(`filling: ${Math.floor(100 * share)} %`))
    progress.clear()
    const { rows } = await client.query<{ count: string; device: string }>(
      'select (select count(*) from events) as count, (select min(device_id) from devices) as device',
    )
    console.log(
      `${new Date().toISOString().slice(0, 10)}, ${cpus().length} × ${cpus()[0]?.model}, PostgreSQL ${database.version}, ` +
        `${Number(rows[0]?.count).toLocaleString('en')} events of ${options.devices} devices × ${options.types} types in ${options.days} days, ${options.hours} hours queried, median of ${options.runs}\n`,
    )
    await client.query('set default_transaction_read_only = on')
    // Without parallel workers this process uses all the CPU time; with them queries are only faster.
    await client.query('set max_parallel_workers_per_gather = 0')
    const { rows: own } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
    const backend = { client, pid: own[0]?.pid ?? 0 }
    const busyBefore = machineCpuSeconds() ?? Number.NaN
    const startMs = performance.now()
    const timings: Timing[] = []
    const run = async (name: string, sql: string) => {
      progress.say(name)
      timings.push({ name, ...(await measure(backend, sql, options.runs)) })
    }
    for (const dashboard of readDashboards()) {
      const device = dashboard.uid === 'qs-device' ? (rows[0]?.device ?? '') : ALL
      const variables = { device, type: 'temp', interval: '5m' }
      for (const query of queriesOf(dashboard))
        await run(query.name, expand(query.sql, { ...rangeOf(query, options.hours), variables }))
    }
    for (const { title, data } of readAlertRules())
      for (const { model } of data)
        if (model.rawSql !== undefined)
          await run(`Alert: ${title}`, model.rawSql.replaceAll(/\$\{\w+\}/g, ''))
    progress.clear()
    await client.end()
    print(timings)
    const cores = (((machineCpuSeconds() ?? Number.NaN) - busyBefore) * 1000) / (performance.now() - startMs)
    console.log(`The whole machine used ${cores.toFixed(1)} cores meanwhile; the bench takes about one.`)
    return timings.every(({ ms }) => ms <= GOAL_MS)
  } finally {
    progress.clear()
    await database.stop()
    rmSync(parent, { recursive: true, force: true })
  }
}

/** The last `hours`, or the panel's own days, with the number of points that the panel asks for. */
function rangeOf({ days, maxPoints }: Query, hours: number) {
  const to = new Date()
  const spanMs = (days === undefined ? hours : 24 * days) * 3_600_000
  const intervalMs = Math.max(60_000, spanMs / (maxPoints ?? POINTS))
  return { from: new Date(to.getTime() - spanMs), to, intervalMs }
}

function print(timings: readonly Timing[]): void {
  console.log('| query | ms | CPU ms | rows |\n|---|---|---|---|')
  for (const { name, ms, cpuMs, rows } of timings.toSorted((a, b) => b.ms - a.ms))
    console.log(`| ${name} | ${ms.toFixed(ms < 10 ? 1 : 0)} | ${cpuMs.toFixed(0)} | ${rows} |`)
  const slow = timings.filter(({ ms }) => ms > GOAL_MS)
  const verdict = slow.length === 0 ? `all within ${GOAL_MS} ms` : `${slow.length} over ${GOAL_MS} ms`
  const slowest = timings.reduce((a, b) => (b.ms > a.ms ? b : a))
  console.log(
    `\n${timings.length} queries, ${verdict}; the slowest: ${slowest.name}, ${slowest.ms.toFixed(0)} ms`,
  )
}

function readOptions(args: readonly string[]): Options | null {
  const flags = readFlags(args, {
    texts: ['rows', 'days', 'devices', 'types', 'hours', 'runs', 'dir'],
    switches: [],
  })
  if (flags.is('help')) return null
  return {
    rows: flags.number('rows', 10_000_000),
    days: flags.number('days', 30),
    devices: flags.number('devices', 100),
    types: Math.min(MAX_TYPES, flags.number('types', 4)),
    hours: flags.number('hours', 24),
    runs: flags.number('runs', 5),
    dir: flags.text('dir', tmpdir()),
  }
}

await runCommand(async () => {
  const options = readOptions(process.argv.slice(2))
  if (options !== null) return bench(options)
  console.log(HELP)
  return true
})
