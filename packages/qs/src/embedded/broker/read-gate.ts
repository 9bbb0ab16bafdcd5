import type { Duplex } from 'node:stream'

/** A slowed client is still read now and then, since its PINGREQ may be waiting. */
const MAX_PAUSE_MS = 1_000

interface Gate {
  /** Reading resumes once both times have passed. */
  pausedUntilMs: number
  heldUntilMs: number
  /** Runs while a reader waits. */
  timer: NodeJS.Timeout | undefined
  readonly reopen: () => void
}

/**
 * Slows down a client by not reading from it for a while: TCP then holds back this client only. A reader of the
 * connection gets no data during the pause, and 'readable' when it is over.
 *
 * Only this stops aedes from reading: it reads at each 'readable', even while a hook has not called back for the
 * previous message.
 *
 * A pause is short compared to any keep-alive, and each is followed by at most one read of 64 KiB.
 */
export class ReadGate {
  readonly #gates = new WeakMap<Duplex, Gate>()

  /** @param client the stream that the broker reads: `network`, or its translation */
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

  /** Takes effect at the next read. */
  pause(client: Duplex, ms: number): void {
    const gate = this.#gates.get(client)
    if (gate !== undefined && ms > 0) gate.pausedUntilMs = performance.now() + Math.min(ms, MAX_PAUSE_MS)
  }

  /** From the next read until `release`, at most a second. */
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
