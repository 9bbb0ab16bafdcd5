import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Client } from 'pg'
import { realEdges } from '../../packages/qs/src/app/edges.ts'
import { stepAside } from '../../packages/qs/src/embedded/postgres/step-aside.ts'
import type { Clock } from '../../packages/qs/src/pipeline/clock.ts'
import { SealJob } from '../../packages/qs/src/segments/seal-job.ts'
import { createLog } from '../../packages/qs/src/telemetry/log.ts'
import { readFlags, runCommand } from '../flags.ts'
import { Load } from '../load/load.ts'
import { quantile } from '../load/quantile.ts'
import { Progress } from '../report/progress.ts'
import { startBroker } from '../stack/broker.ts'
import { startDatabase } from '../stack/database.ts'
import { ingester } from '../subjects/ingester.ts'
import { DAY_MS, fillRows } from './fill.ts'

const HELP = `Measures what sealing costs the acks: events at a steady pace, while old rows are sealed and while they are not, in turns.

  npm run bench:sealing -- [options]

  --rate N         single events a second (default 5000)
  --seconds N      of each half of a turn (default 20)
  --turns N        default 6; each has one half with sealing and one without, the first of them by turns
  --quick          one short turn, only shows that it works
  --dir DIR        directory for PostgreSQL's files (default: the system's temporary directory)

Exit codes: 0 measured, 1 failed, 2 wrong usage. A missed goal is not a failure: the machine may be busy.`

interface Options {
  readonly rate: number
  readonly seconds: number
  readonly turns: number
  readonly dir: string
}

/** The days that are filled: old enough to be sealed, and more than all turns seal. */
const [OLD_DAYS, SEAL_AFTER_DAYS] = [45, 30]
const SHARES = [0.5, 0.99, 0.999] as const

interface Half {
  /** Of the device acks, in the order of SHARES. */
  readonly ms: readonly number[]
  readonly sealed: number
}

async function bench({ rate, seconds, turns, dir }: Options): Promise<boolean> {
  const progress = new Progress(process.stderr)
  const parent = mkdtempSync(join(dir, 'qs-bench-sealing-'))
  const failed = new AbortController()
  const onLost = (reason: Error) => failed.abort(reason)
  const database = await startDatabase(join(parent, 'postgres'))
  const broker = await startBroker({ directory: join(parent, 'broker'), signal: failed.signal })
  try {
    const url = await database.fresh('acks')
    progress.say('filling a day of old rows')
    await fill(url)
    const running = await ingester.start({
      ...{ broker, databaseUrl: url, directory: parent, signal: failed.signal },
      ...{ profileDirectory: null, eventsPerMessage: 1, sharedBy: null },
    })
    for (const child of [...running.children, broker.child]) child.failed.then(onLost)
    const events = rate * seconds
    const load = await Load.connect({
      ...{ devices: 100, connections: 1, eventsPerMessage: 1, ids: 'ordered', boot: 1, resendEvery: 0 },
      ...{ port: broker.port, events: events * (2 * turns + 1), confirmations: 'device acks', onLost },
    })
    try {
      const half = async (isSealing: boolean): Promise<Half> => {
        const sealing = isSealing ? startSealing(url) : null
        const { latenciesMs } = await load.pace(events, rate, failed.signal)
        const ms = SHARES.map((share) => quantile(latenciesMs, share) ?? Number.NaN)
        return { ms, sealed: (await sealing?.stop()) ?? 0 }
      }
      await half(false)
      const pairs: { readonly on: Half; readonly off: Half }[] = []
      for (let turn = 0; turn < turns; turn++) {
        const first = await half(turn % 2 === 0)
        const second = await half(turn % 2 === 1)
        pairs.push(turn % 2 === 0 ? { on: first, off: second } : { on: second, off: first })
        progress.done(`turn ${turn + 1}: ${texts(pairs.at(-1) as (typeof pairs)[number], seconds)}`)
      }
      report(pairs, { rate, seconds, version: database.version })
      return load.faults().length === 0 && pairs.every(({ on }) => on.sealed > 0)
    } finally {
      load.close()
      for (const child of running.children) await child.stop()
    }
  } finally {
    progress.clear()
    await broker.child.stop()
    await database.stop()
    rmSync(parent, { recursive: true, force: true })
  }
}

async function fill(url: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await fillRows(client, new Date(Date.now() - OLD_DAYS * DAY_MS), 1)
    await client.query('checkpoint')
  } finally {
    await client.end()
  }
}

/** The job of `qs up` with its pauses and its priority, here so that it starts and ends with a half. @returns how many it sealed */
function startSealing(url: string): { stop(): Promise<number> } {
  let sealed = 0
  const job = new SealJob({
    ...{ url, afterMs: SEAL_AFTER_DAYS * DAY_MS, clock: eager(realEdges().clock), log: createLog('warn') },
    onConnect: stepAside,
    freeBytes: async () => null,
    onDropped: () => {},
    onSealed: (events) => {
      sealed += events
    },
  })
  job.start()
  return {
    stop: async () => {
      await job.stop()
      return sealed
    },
  }
}

/** The job waits a minute before its first step; here it does not. */
function eager(clock: Clock): Clock {
  let isFirst = true
  return {
    now: () => clock.now(),
    monotonicMs: () => clock.monotonicMs(),
    every: (ms, act) => clock.every(ms, act),
    after: (ms, act) => {
      const waitMs = isFirst ? 0 : ms
      isFirst = false
      return clock.after(waitMs, act)
    },
  }
}

const milliseconds = (ms: readonly number[]) => ms.map((each) => each.toFixed(1)).join(' / ')

function texts({ on, off }: { readonly on: Half; readonly off: Half }, seconds: number): string {
  const rate = Math.round(on.sealed / seconds).toLocaleString('en')
  return `p50 / p99 / p99.9 with sealing ${milliseconds(on.ms)} ms (${rate} sealed a second), without ${milliseconds(off.ms)} ms`
}

function report(
  pairs: readonly { readonly on: Half; readonly off: Half }[],
  { rate, seconds, version }: { readonly rate: number; readonly seconds: number; readonly version: string },
): void {
  const spread = (values: readonly number[], digits: number) => {
    const sorted = values.toSorted((a, b) => a - b)
    const text = (value: number | undefined) => value?.toFixed(digits)
    return `${text(quantile(sorted, 0.5) ?? undefined)} (${text(sorted[0])} to ${text(sorted.at(-1))})`
  }
  console.log(
    `${new Date().toISOString().slice(0, 10)}, ${cpus().length} × ${cpus()[0]?.model}, load ${loadavg()[0]?.toFixed(1)}, PostgreSQL ${version}`,
  )
  console.log(`${rate} single events a second, ${pairs.length} turns of twice ${seconds} s; median (range)\n`)
  console.log('| | with sealing, ms | without, ms | ratio of a turn |\n|---|---|---|---|')
  for (const [place, share] of SHARES.entries()) {
    const of = (half: Half) => half.ms[place] ?? Number.NaN
    const ratios = pairs.map(({ on, off }) => of(on) / of(off))
    const columns = [pairs.map(({ on }) => of(on)), pairs.map(({ off }) => of(off))].map((ms) =>
      spread(ms, 1),
    )
    console.log(`| p${share * 100} | ${columns.join(' | ')} | ${spread(ratios, 2)} |`)
  }
  const perSecond = pairs.map(({ on }) => on.sealed / seconds)
  console.log(`\nsealed a second meanwhile: ${spread(perSecond, 0)}`)
}

function readOptions(args: readonly string[]): Options | null {
  const flags = readFlags(args, { texts: ['rate', 'seconds', 'turns', 'dir'], switches: ['quick'] })
  if (flags.is('help')) return null
  const isQuick = flags.is('quick')
  return {
    rate: flags.number('rate', 5_000),
    seconds: flags.number('seconds', isQuick ? 3 : 20),
    turns: flags.number('turns', isQuick ? 1 : 6),
    dir: resolve(flags.text('dir', tmpdir())),
  }
}

await runCommand(async () => {
  const options = readOptions(process.argv.slice(2))
  if (options === null) {
    console.log(HELP)
    return true
  }
  return bench(options)
})
