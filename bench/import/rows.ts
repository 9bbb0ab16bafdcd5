import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { finished } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { readFlags, runCommand } from '../flags.ts'
import { Progress } from '../report/progress.ts'
import { machineCpuSeconds, treeCpuSeconds } from '../runs/process-usage.ts'
import { startDatabase } from '../stack/database.ts'
import { queryRow } from '../stack/query-row.ts'

const HELP = `Measures qs import: a file of each format into an empty database with the schema of qs, and the same file again.

  npm run bench:import -- [options]

  --events N       events of each file (default 1000000)
  --format NAME    only this one: csv, jsonl, influx or home-assistant; several with commas
  --quick          20,000 events, only shows that it works
  --dir DIR        directory for files and PostgreSQL (default: the system's temporary directory)

Exit codes: 0 measured, 1 failed, 2 wrong usage.`

const QS = fileURLToPath(new URL('../../packages/qs/bin/qs.js', import.meta.url))
const [FIRST_SECOND, EVERY_SECONDS] = [1_700_000_000, 60]
const [DEVICES, TYPES] = [10, ['temp', 'hum', 'pressure', 'co2']]

interface Sample {
  readonly device: string
  readonly type: string
  readonly value: string
  readonly second: number
}

interface Kind {
  readonly name: string
  readonly header: string
  line(sample: Sample): string
  readonly options: readonly string[]
}

const KINDS: readonly Kind[] = [
  {
    ...{ name: 'jsonl', header: '', options: [] },
    line: ({ device, type, value, second }) =>
      `{"device_id":"${device}","event_type":"${type}","value":${value},"unit":"x","time":${second}}`,
  },
  {
    ...{ name: 'csv', header: 'device,type,value,time', options: [] },
    line: ({ device, type, value, second }) =>
      `${device},${type},${value},${new Date(second * 1000).toISOString()}`,
  },
  {
    ...{ name: 'influx', header: '', options: [] },
    line: ({ device, type, value, second }) =>
      `${type},host=${device},room=living value=${value} ${second}000000000`,
  },
  {
    name: 'home-assistant',
    header: 'statistic_id,unit_of_measurement,start_ts,mean,min,max,state,sum',
    options: [],
    line: ({ device, type, value, second }) =>
      `sensor.${device}_${type},°C,${second}.0,${value},${value},${value},,`,
  },
]

interface Options {
  readonly events: number
  readonly kinds: readonly Kind[]
  readonly dir: string
}

async function bench({ events, kinds, dir }: Options): Promise<boolean> {
  const progress = new Progress(process.stderr)
  const parent = mkdtempSync(join(dir, 'qs-bench-import-'))
  const database = await startDatabase(join(parent, 'postgres'))
  console.log(
    `${events} events, ${DEVICES} devices, ${TYPES.length} types, ${cpus().length} × ${cpus()[0]?.model}`,
  )
  try {
    for (const kind of kinds) {
      progress.say(`writing ${kind.name}`)
      const file = join(parent, `events.${kind.name}`)
      await write(file, kind, events)
      const url = await database.fresh(`import_${kind.name.replace('-', '_')}`)
      for (const run of ['first', 'again']) {
        progress.say(`${kind.name}: ${run}`)
        const [startMs, before] = [performance.now(), cpuSeconds(database.pid)]
        const { stdout } = await promisify(execFile)(
          QS,
          ['import', file, '--format', kind.name, ...kind.options, '--json'],
          { env: { PATH: process.env.PATH, HOME: process.env.HOME, DATABASE_URL: url } },
        )
        const seconds = (performance.now() - startMs) / 1000
        const { stored, duplicate, bad } = JSON.parse(stdout)
        const cpu = cpuSeconds(database.pid).map((value, n) => (value - (before[n] ?? 0)).toFixed(1))
        progress.done(
          `${kind.name.padEnd(15)} ${run}  ${seconds.toFixed(1).padStart(6)} s ${String(Math.round(events / seconds)).padStart(7)} events/s` +
            `  CPU seconds: qs ${cpu[0]}, PostgreSQL ${cpu[1]}, others ${cpu[2]}` +
            `  (${stored} stored, ${duplicate} stored before, ${bad} bad)`,
        )
      }
      const row = await queryRow(url, 'select count(*) as events from events')
      if (Number(row?.events) !== events) throw new Error(`${row?.events} of ${events} events are stored`)
      await database.drop(`import_${kind.name.replace('-', '_')}`)
    }
    return true
  } finally {
    await database.stop()
    rmSync(parent, { recursive: true, force: true })
  }
}

/** Of qs, of PostgreSQL, which is a child of this process as well, and of everything else on the machine. */
function cpuSeconds(postgresPid: number): readonly number[] {
  const own = treeCpuSeconds(process.pid) ?? 0
  const postgres = treeCpuSeconds(postgresPid) ?? 0
  return [own - postgres, postgres, (machineCpuSeconds() ?? 0) - own]
}

async function write(file: string, kind: Kind, events: number): Promise<void> {
  const stream = createWriteStream(file)
  if (kind.header !== '') stream.write(`${kind.header}\n`)
  let lines = ''
  for (let n = 0; n < events; n++) {
    const series = n % (DEVICES * TYPES.length)
    lines += `${kind.line({
      device: `esp32-${series % DEVICES}`,
      type: TYPES[Math.floor(series / DEVICES)] as string,
      value: (20 + Math.sin(n / 5000) * 5 + (n % 7) / 10).toFixed(2),
      second: FIRST_SECOND + Math.floor(n / (DEVICES * TYPES.length)) * EVERY_SECONDS,
    })}\n`
    if (lines.length > 1_000_000 || n === events - 1) {
      if (!stream.write(lines)) await once(stream, 'drain')
      lines = ''
    }
  }
  stream.end()
  await finished(stream)
}

await runCommand(async () => {
  const flags = readFlags(process.argv.slice(2), { texts: ['events', 'format', 'dir'], switches: ['quick'] })
  if (flags.is('help')) {
    console.log(HELP)
    return true
  }
  const wanted = flags.text('format', KINDS.map(({ name }) => name).join(',')).split(',')
  return bench({
    events: flags.number('events', flags.is('quick') ? 20_000 : 1_000_000),
    kinds: KINDS.filter(({ name }) => wanted.includes(name)),
    dir: resolve(flags.text('dir', tmpdir())),
  })
})
