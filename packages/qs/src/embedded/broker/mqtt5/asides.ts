import type { Packet } from 'mqtt-packet'

/** Something to do with a packet, in the moment in which aedes has parsed it. */
export type Aside = (packet: Packet) => void

/**
 * What 3.1.1 has no bytes for, beside the stream of bytes: written together with a packet, done when aedes
 * has that packet. Both sides count, since every packet that is written is parsed, in order.
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
