import type { Duplex } from 'node:stream'

/** A slowed client is still read once in a while: its PINGREQ is among what waits. */
const MAX_PAUSE_MS = 1_000

interface Gate {
  /** Nothing is read before both of them. */
  pausedUntilMs: number
  heldUntilMs: number
  /** Runs while a reader waits. */
  timer: NodeJS.Timeout | undefined
  readonly reopen: () => void
}

/**
 * Slows down a client by not reading from it for a while: TCP then holds back the client, and nobody else. Whoever
 * reads from the connection gets nothing, as if nothing had come, and 'readable' when the pause is over.
 *
 * Only this stops aedes from reading: it reads at each 'readable', although a hook has not called back for a message of the
 * last read.
 *
 * A pause is short compared to any keep-alive, and after each at most one read follows, of 64 KiB.
 */
export class ReadGate {
  readonly #gates = new WeakMap<Duplex, Gate>()

  /** @param client what the broker reads from: `network`, or what translates it */
  guard(network: Duplex, client: Duplex): void {
    const gate: Gate = {
      pausedUntilMs: 0,
      heldUntilMs: 0,
      timer: undefined,
      reopen: () => {
        clearTimeout(gate.timer)
        gate.timer = undefined
        network.emit('readable')
      },
    }
    this.#gates.set(client, gate)
    const read = network.read.bind(network)
    network.read = (size?: number) => {
      if (gate.timer !== undefined) return null
      const untilMs = Math.max(gate.pausedUntilMs, gate.heldUntilMs)
      const leftMs = untilMs === 0 ? 0 : untilMs - performance.now()
      if (leftMs <= 0) return read(size)
      gate.timer = setTimeout(gate.reopen, leftMs)
      return null
    }
    network.once('close', () => clearTimeout(gate.timer))
  }

  /** From the next read on. */
  pause(client: Duplex, ms: number): void {
    const gate = this.#gates.get(client)
    if (gate !== undefined && ms > 0) gate.pausedUntilMs = performance.now() + Math.min(ms, MAX_PAUSE_MS)
  }

  /** From the next read on, until `release`; for a second at most. */
  hold(client: Duplex): void {
    const gate = this.#gates.get(client)
    if (gate !== undefined) gate.heldUntilMs = performance.now() + MAX_PAUSE_MS
  }

  release(client: Duplex): void {
    const gate = this.#gates.get(client)
    if (gate === undefined) return
    gate.heldUntilMs = 0
    if (gate.timer !== undefined) gate.reopen()
  }
}
