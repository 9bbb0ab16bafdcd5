import type { Aedes } from 'aedes'

interface Publishing {
  publish(packet: { readonly retain?: boolean }, ...rest: readonly unknown[]): void
}

/**
 * Keeps messages of one publisher to one topic in order [MQTT-4.6.0-6]. aedes waits one microtask for the store of
 * retained messages, and the next message of the same read would overtake if it is not retained. So every such message
 * waits one microtask too.
 */
export function keepRetainedInOrder(broker: Aedes): void {
  const parts = broker as unknown as Publishing
  const publish = parts.publish.bind(parts)
  parts.publish = (packet, ...rest) => {
    if (packet.retain) publish(packet, ...rest)
    else queueMicrotask(() => publish(packet, ...rest))
  }
}
