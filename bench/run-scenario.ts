import { tail } from './child.ts'
import { Load, type Phase } from './load.ts'
import { machineCpuSeconds, peakMemoryMb, treeCpuSeconds } from './process-usage.ts'
import type { Counts, Scenario } from './scenarios.ts'
import type { Stack, TestBed } from './stack.ts'
import { verifyDatabase } from './verify.ts'

export type ProcessName = 'subject' | 'mosquitto' | 'postgres' | 'publisher'

export interface Measures {
  readonly seconds: number
  readonly eventsPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Of the subject; null where there is no /proc. */
  readonly peakMemoryMb: number | null
  /** What the rest of the machine took meanwhile, in cores; where that is much, the figures are too low. */
  readonly othersCores: number | null
  readonly cpuSecondsPerMillion: Readonly<Record<ProcessName, number | null>>
}

export interface Result {
  readonly scenario: Scenario
  readonly counts: Counts
  /** null where it did not come to its end. */
  readonly measures: Measures | null
  /** Empty: every event is a row and was acked as stored, once. */
  readonly faults: readonly string[]
}

export interface RunOptions {
  readonly counts: Counts
  readonly signal: AbortSignal
  readonly onProgress: (stored: number, events: number) => void
}

const PROGRESS_MS = 500

/** Runs a scenario on a stack and verifies it. It fails by its faults; it throws only when interrupted. */
export async function runScenario(stack: Stack, scenario: Scenario, options: RunOptions): Promise<Result> {
  const { counts, signal } = options
  let outcome: Pick<Result, 'measures' | 'faults'>
  try {
    outcome = await stack.with(scenario, signal, (bed) => runOn(bed, scenario, options))
  } catch (error) {
    signal.throwIfAborted()
    outcome = { measures: null, faults: [(error as Error).message] }
  }
  return { scenario, counts, ...outcome }
}

async function runOn(bed: TestBed, scenario: Scenario, { counts, signal, onProgress }: RunOptions) {
  const stopped = new AbortController()
  const stop = (reason: Error) => stopped.abort(reason)
  const events = counts.warmUp + counts.measured
  const load = await Load.connect({ ...scenario, port: bed.broker.port, events, onLost: stop })
  const limit = `the time limit of ${scenario.timeLimitMs / 1000} s is over`
  const timer = setTimeout(() => stop(new Error(limit)), scenario.timeLimitMs)
  bed.subject.failed.then(stop)
  bed.broker.child.failed.then(stop)
  const either = AbortSignal.any([signal, stopped.signal])

  const progress = setInterval(() => onProgress(load.stored, events), PROGRESS_MS)
  const faults: string[] = []
  let measures: Measures | null = null
  try {
    await load.run(counts.warmUp, either)
    const cpuBefore = cpuSeconds(bed)
    const phase = await load.run(counts.measured, either)
    measures = measure(phase, counts.measured, { before: cpuBefore, after: cpuSeconds(bed), bed })
  } catch (error) {
    signal.throwIfAborted()
    faults.push((error as Error).message, state(load, events))
  } finally {
    clearTimeout(timer)
    clearInterval(progress)
    load.close()
  }
  const sent = { events: load.sent, messages: load.sent / scenario.eventsPerMessage }
  faults.push(...load.tally.faults(load.sent))
  faults.push(...(await verifyDatabase(bed.databaseUrl, scenario, sent).catch(unverified)))
  const exitCode = await bed.subject.stop()
  if (exitCode !== 0) faults.push(`the ingester did not end well: exit code ${exitCode}`)
  if (faults.length > 0) {
    faults.push(`the end of its log:\n${tail(bed.subject.output())}`)
    faults.push(`the end of Mosquitto's:\n${tail(bed.broker.child.output())}`)
  }
  return { measures, faults }
}

function unverified(error: unknown): readonly string[] {
  return [`the database cannot be asked: ${(error as Error).message}`]
}

function state(load: Load, events: number): string {
  const [sent, pubacks, stored, all] = [load.sent, load.pubacks, load.stored, events].map((count) =>
    count.toLocaleString('en'),
  )
  return `by then ${sent} of ${all} events were sent, ${pubacks} PUBACKs and ${stored} device acks had come`
}

type Cpu = Readonly<Record<ProcessName | 'others', number | null>>

function cpuSeconds({ subject, broker, postgresPid }: TestBed): Cpu {
  const own = process.cpuUsage()
  const ours = {
    subject: treeCpuSeconds(subject.pid),
    mosquitto: treeCpuSeconds(broker.child.pid),
    postgres: treeCpuSeconds(postgresPid),
    publisher: (own.user + own.system) / 1e6,
  }
  const all = machineCpuSeconds()
  const sum = Object.values(ours).reduce<number>((total, each) => total + (each ?? 0), 0)
  return { ...ours, others: all === null ? null : all - sum }
}

interface Around {
  readonly before: Cpu
  readonly after: Cpu
  readonly bed: TestBed
}

function measure(phase: Phase, events: number, { before, after, bed }: Around): Measures {
  const used = (name: keyof Cpu, per: number) => {
    const [from, to] = [before[name], after[name]]
    // Ticks of 10 ms: a difference of differences may come out a little below nothing.
    return from === null || to === null ? null : Math.max(0, to - from) / per
  }
  const { seconds, latenciesMs } = phase
  const quantile = (share: number) => latenciesMs[Math.floor(share * (latenciesMs.length - 1))] ?? Number.NaN
  return {
    seconds,
    eventsPerSecond: events / seconds,
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
    peakMemoryMb: peakMemoryMb(bed.subject.pid),
    othersCores: used('others', seconds),
    cpuSecondsPerMillion: {
      subject: used('subject', events / 1e6),
      mosquitto: used('mosquitto', events / 1e6),
      postgres: used('postgres', events / 1e6),
      publisher: used('publisher', events / 1e6),
    },
  }
}
