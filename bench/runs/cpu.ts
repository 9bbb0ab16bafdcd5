import type { Phase } from '../load/load.ts'
import { quantile } from '../load/quantile.ts'
import type { Measures, ProcessName } from './measures.ts'
import { machineCpuSeconds, peakMemoryMb, treeCpuSeconds } from './process-usage.ts'

/** The processes whose CPU time is reported separately. */
export interface Watched {
  readonly subjects: readonly number[]
  readonly mosquitto: number
  readonly postgres: number
}

/** Seconds used so far. */
export type Cpu = Readonly<Record<ProcessName | 'others', number | null>>

export function cpuSeconds({ subjects, mosquitto, postgres }: Watched): Cpu {
  const own = process.cpuUsage()
  const ours = {
    subject: subjects.reduce<number | null>((sum, pid) => plus(sum, treeCpuSeconds(pid)), 0),
    mosquitto: treeCpuSeconds(mosquitto),
    postgres: treeCpuSeconds(postgres),
    publisher: (own.user + own.system) / 1e6,
  }
  const all = machineCpuSeconds()
  const sum = Object.values(ours).reduce<number>((total, each) => total + (each ?? 0), 0)
  return { ...ours, others: all === null ? null : all - sum }
}

function plus(sum: number | null, more: number | null): number | null {
  return sum === null || more === null ? null : sum + more
}

export interface Around {
  readonly events: number
  readonly before: Cpu
  readonly after: Cpu
  readonly watched: Watched
  readonly readySeconds: number | null
}

export function measure({ seconds, latenciesMs }: Phase, around: Around): Measures {
  const { events, before, after, watched, readySeconds } = around
  const used = (name: keyof Cpu, per: number) => {
    const [from, to] = [before[name], after[name]]
    // Ticks of 10 ms: a difference of differences may be slightly negative.
    return from === null || to === null ? null : Math.max(0, to - from) / per
  }
  const peaks = watched.subjects.map((pid) => peakMemoryMb(pid) ?? 0)
  return {
    seconds,
    eventsPerSecond: events / seconds,
    p50Ms: quantile(latenciesMs, 0.5),
    p99Ms: quantile(latenciesMs, 0.99),
    p999Ms: quantile(latenciesMs, 0.999),
    readySeconds,
    peakMemoryMb: Math.max(0, ...peaks) || null,
    othersCores: used('others', seconds),
    cpuSecondsPerMillion: {
      subject: watched.subjects.length === 0 ? null : used('subject', events / 1e6),
      mosquitto: used('mosquitto', events / 1e6),
      postgres: used('postgres', events / 1e6),
      publisher: used('publisher', events / 1e6),
    },
  }
}
