import { DeliveredCount } from '../load/delivered-count.ts'
import { type Course, measured } from './course.ts'

/** Measures what the broker alone delivers, with a durable session and QoS 1, to a subscriber that only counts. */
export function brokerLimit(windowEvents: number): Course {
  return async (context) => {
    const { bed, counts, signal } = context
    const subscriber = DeliveredCount.start(bed.broker.port)
    const load = await context.open(async (onProgress) => subscriber.follow(onProgress))
    await load.flood(counts.warmUp, windowEvents, signal)
    const who = { children: [subscriber], readySeconds: null }
    return measured(context, who, () => load.flood(counts.measured, windowEvents, signal))
  }
}
