import type { Duplex } from 'node:stream'

/** Also a client that has exceeded its budget by far is read once in a while: its PINGREQ is among what waits. */
const MAX_PAUSE_MS = 1_000

/**
 * Slows down a client by not reading from it for a while: TCP then holds back the client, and nobody else. Whoever
 * reads from the connection gets nothing, as if nothing had come, and 'readable' when the pause is over.
 *
 * A pause is short compared to any keep-alive, and after each at most one read follows, of 64 KiB.
 */
export class ReadGate {
  readonly #untilMs = new WeakMap<Duplex, number>()

  /** @param client what the broker reads from: `network`, or what translates it */
  guard(network: Duplex, client: Duplex): void {
    const read = network.read.bind(network)
    let pause: NodeJS.Timeout | undefined
    network.read = (size?: number) => {
      if (pause !== undefined) return null
      const leftMs = (this.#untilMs.get(client) ?? 0) - performance.now()
      this.#untilMs.delete(client)
      if (leftMs <= 0) return read(size)
      pause = setTimeout(
        () => {
          pause = undefined
          network.emit('readable')
        },
        Math.min(leftMs, MAX_PAUSE_MS),
      )
      return null
    }
    network.once('close', () => clearTimeout(pause))
  }

  /** From the next read on. */
  pause(client: Duplex, ms: number): void {
    if (ms > 0) this.#untilMs.set(client, performance.now() + ms)
  }
}
