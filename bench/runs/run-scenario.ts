import { Load } from '../load/load.ts'
import type { Counts, Scenario } from '../scenario.ts'
import { tail } from '../stack/child.ts'
import { queryRow } from '../stack/query-row.ts'
import type { Stack, TestBed } from '../stack/stack.ts'
import type { Running } from '../subjects/subject.ts'
import { backlog } from './backlog.ts'
import { brokerLimit } from './broker-limit.ts'
import { copyLimit } from './copy-limit.ts'
import type { Course, CourseContext } from './course.ts'
import { flood, paced } from './flood.ts'
import type { Measures, Run } from './measures.ts'
import { postgresAway } from './postgres-away.ts'
import { verifyDatabase } from './verify.ts'

export interface RunOptions {
  readonly counts: Counts
  /** An existing database, see `BedOptions`. */
  readonly databaseUrl: string | null
  /** Boot counter of the devices, see `EventStreamOptions`. */
  readonly boot: number
  readonly signal: AbortSignal
  readonly onProgress: (confirmed: number, events: number) => void
}

type Outcome = Pick<Run, 'measures' | 'faults'>

const PROGRESS_MS = 500

/** Runs a scenario on a stack and verifies it. Failures are returned as faults; throws only when interrupted. */
export async function runScenario(stack: Stack, scenario: Scenario, options: RunOptions): Promise<Outcome> {
  const { databaseUrl, signal } = options
  try {
    return await stack.with({ scenario, databaseUrl, signal }, (bed) => runOn(bed, options))
  } catch (error) {
    signal.throwIfAborted()
    return { measures: null, faults: [(error as Error).message] }
  }
}

async function runOn(bed: TestBed, { counts, boot, signal, onProgress }: RunOptions): Promise<Outcome> {
  const { scenario } = bed
  const since = (await queryRow(bed.databaseUrl, 'select clock_timestamp()::text as now')).now ?? ''
  const stopped = new AbortController()
  const stop = (reason: Error) => stopped.abort(reason)
  const limit = `the time limit of ${scenario.timeLimitMs / 1000} s is over`
  const timer = setTimeout(() => stop(new Error(limit)), scenario.timeLimitMs)
  bed.broker.child.failed.then(stop)

  const events = eventsOf(scenario, counts)
  const started: Running[] = []
  const opened: Load[] = []
  const context: CourseContext = {
    bed,
    counts,
    signal: AbortSignal.any([signal, stopped.signal]),
    start: async (databaseUrl) => {
      const running = await bed.start(databaseUrl)
      started.push(running)
      for (const child of running.children) child.failed.then(stop)
      return running
    },
    open: async (confirmations) => {
      const load = await Load.connect({
        ...scenario,
        boot,
        port: started.at(-1)?.mqttPort ?? bed.broker.port,
        events,
        confirmations,
        onLost: stop,
      })
      opened.push(load)
      return load
    },
  }

  const progress = setInterval(() => onProgress(opened[0]?.confirmed ?? 0, events), PROGRESS_MS)
  let measures: Measures | null = null
  const faults: string[] = []
  try {
    measures = await courseOf(scenario)(context)
  } catch (error) {
    signal.throwIfAborted()
    faults.push((error as Error).message)
  } finally {
    clearTimeout(timer)
    clearInterval(progress)
    for (const load of opened) load.close()
  }
  faults.push(...(await verify(bed, opened[0], { since, events, isDone: measures !== null })))
  faults.push(...(await end(bed, started, faults.length > 0)))
  return { measures, faults }
}

/** The number of events that its load sends, including warm-up. */
function eventsOf({ course }: Scenario, { warmUp, measured }: Counts): number {
  return course.kind === 'copy-limit' || course.kind === 'backlog' ? measured : warmUp + measured
}

function courseOf({ course }: Scenario): Course {
  switch (course.kind) {
    case 'flood':
      return flood(course.windowEvents)
    case 'paced':
      return paced(course.ratePerSecond)
    case 'backlog':
      return backlog
    case 'postgres-away':
      return postgresAway
    case 'copy-limit':
      return copyLimit(course.windowEvents)
    case 'broker-limit':
      return brokerLimit(course.windowEvents)
  }
}

interface Told {
  readonly since: string
  readonly events: number
  readonly isDone: boolean
}

async function verify(bed: TestBed, load: Load | undefined, { since, events, isDone }: Told) {
  if (load === undefined) return isDone ? ['nothing was sent'] : []
  const faults: string[] = []
  if (!isDone) faults.push(state(load, events))
  faults.push(...load.faults())
  if (bed.scenario.course.kind === 'broker-limit') return faults
  const sent = {
    messages: load.sent,
    events: load.sentEvents,
    different: load.stream.differentEvents(load.sent),
    since,
  }
  return [...faults, ...(await verifyDatabase(bed.databaseUrl, bed.scenario, sent).catch(unverified))]
}

/** Stops the processes. If anything is wrong, the result includes the ends of their logs. */
async function end(bed: TestBed, started: readonly Running[], isFaulty: boolean): Promise<readonly string[]> {
  const children = started.flatMap((running) => running.children)
  const faults: string[] = []
  for (const child of children) {
    const exitCode = await child.stop()
    if (exitCode !== 0) faults.push(`${child.name} failed at its end: exit code ${exitCode}`)
  }
  if (!isFaulty && faults.length === 0) return faults
  const logs = [...children, bed.broker.child].map(
    (child) => `the end of the log of ${child.name}:\n${tail(child.output())}`,
  )
  return [...faults, ...logs]
}

function unverified(error: unknown): readonly string[] {
  return [`the database cannot be queried: ${(error as Error).message}`]
}

function state(load: Load, events: number): string {
  const [sent, pubacks, confirmed, all] = [load.sentEvents, load.pubacks, load.confirmed, events].map(
    (count) => count.toLocaleString('en'),
  )
  return `by then ${sent} of ${all} events were sent, ${pubacks} PUBACKs had come and ${confirmed} events were confirmed`
}
