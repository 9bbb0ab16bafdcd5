import { type Course, measured } from './course.ts'

/** The broker queues everything for the session of a stopped ingester, which is then started. */
export const backlog: Course = async (context) => {
  const { counts, signal } = context
  const before = await context.start()
  for (const child of before.children) {
    const exitCode = await child.stop()
    if (exitCode !== 0) throw new Error(`${child.name} failed at its end: exit code ${exitCode}`)
  }
  const load = await context.open('device acks')
  await load.queue(counts.measured, signal)
  const startMs = performance.now()
  const running = await context.start()
  return measured(context, running, async () => {
    await load.untilConfirmed(signal)
    return { seconds: (performance.now() - startMs) / 1000, latenciesMs: new Float64Array() }
  })
}
