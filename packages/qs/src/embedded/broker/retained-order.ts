import type { Aedes } from 'aedes'

interface Publishing {
  publish(packet: { readonly retain?: boolean }, ...rest: readonly unknown[]): void
}

/**
 * Messages of one publisher to one topic stay in order [MQTT-4.6.0-6]. aedes waits one microtask for the store of
 * retained messages, and the next message of the same read, if it is not retained, would overtake. So that one waits
 * one microtask too.
 */
export function keepRetainedInOrder(broker: Aedes): void {
  const parts = broker as unknown as Publishing
  const publish = parts.publish.bind(parts)
  parts.publish = (packet, ...rest) => {
    if (packet.retain) publish(packet, ...rest)
    else queueMicrotask(() => publish(packet, ...rest))
  }
}
