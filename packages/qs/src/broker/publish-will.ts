import type { BrokerParts } from './broker-parts.ts'
import { detached } from './message.ts'

/** Hands a will to its subscribers and, on an event topic, to the intake. */
export function willPublisher(
  parts: Pick<BrokerParts, 'router' | 'intake' | 'isEvents' | 'clock'>,
): BrokerParts['publishWill'] {
  const { router, intake, isEvents, clock } = parts
  return (message, origin) => {
    router.publish(message)
    if (!isEvents(message.topic)) return
    // Not with the whole read of its CONNECT.
    const { topic, payload } = detached(message)
    if (typeof payload !== 'string') intake?.takeWill({ topic, payload }, origin, clock.now())
  }
}
