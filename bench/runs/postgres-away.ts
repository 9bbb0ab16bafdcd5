import { setTimeout as wait } from 'node:timers/promises'
import { FaultProxy } from '../../packages/qs/src/verify/fault-proxy.ts'
import { type Course, measured } from './course.ts'

const WARM_UP_WINDOW = 20_000
/** How long PostgreSQL stays away after the broker has all messages; the ingester keeps retrying meanwhile. */
const AWAY_MS = 5_000

/** PostgreSQL refuses every connection while all events arrive; measured from its return. */
export const postgresAway: Course = async (context) => {
  const { bed, counts, signal } = context
  const url = new URL(bed.databaseUrl)
  const proxy = await FaultProxy.start({ host: url.hostname, port: Number(url.port) })
  try {
    url.port = String(proxy.port)
    const running = await context.start(url.href)
    const load = await context.open('device acks')
    await load.flood(counts.warmUp, WARM_UP_WINDOW, signal)
    proxy.set({ kind: 'refuse' })
    proxy.reset()
    await load.queue(counts.measured, signal)
    await wait(AWAY_MS, undefined, { signal })
    return await measured(context, running, async () => {
      const startMs = performance.now()
      proxy.set({ kind: 'pass' })
      await load.untilConfirmed(signal)
      return { seconds: (performance.now() - startMs) / 1000, latenciesMs: new Float64Array() }
    })
  } finally {
    await proxy.close()
  }
}
