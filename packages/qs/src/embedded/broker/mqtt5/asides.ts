import type { Packet } from 'mqtt-packet'

/** Callback for a packet, at the moment when aedes has parsed it. */
export type Aside = (packet: Packet) => void

/**
 * Callbacks next to the byte stream, for what 3.1.1 cannot encode: registered when a packet is written, run when aedes
 * has parsed it. Both sides count, since packets are parsed in the order they are written.
 */
export class Asides {
  #written = 0
  #parsed = 0
  readonly #waiting: { readonly number: number; readonly aside: Aside }[] = []

  written(aside: Aside | null): void {
    this.#written++
    if (aside !== null) this.#waiting.push({ number: this.#written, aside })
  }

  parsed(packet: Packet): void {
    this.#parsed++
    if (this.#waiting[0]?.number === this.#parsed) this.#waiting.shift()?.aside(packet)
  }
}
