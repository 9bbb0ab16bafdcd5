import type { DeviceAck } from '@qs-telemetry/protocol'

/**
 * Outcomes of the events of a device. At all times accepted = stored + duplicate + rejected + waiting; `duplicate`
 * also counts events that were stored the first time but whose device ack was lost.
 */
export interface DeviceCounts {
  /** Events, and elements of raw payloads, published at least once. */
  readonly sent: number
  /** Messages published again. */
  readonly resent: number
  readonly stored: number
  readonly duplicate: number
  readonly rejected: number
  /** Accepted, published or not, and without device ack. */
  readonly waiting: number
}

/** The counters behind DeviceCounts; several devices may share one. */
export class Tally {
  sent = 0
  resent = 0
  stored = 0
  duplicate = 0
  rejected = 0
  waiting = 0

  takenOn(events: number): void {
    this.waiting += events
  }

  published(attempts: number, events: number): void {
    if (attempts === 1) this.sent += events
    else this.resent++
  }

  /** `events` is above 1 if one device ack answers a whole message. */
  settled({ status }: DeviceAck, events = 1): void {
    if (status === 'stored') this.stored += events
    else if (status === 'duplicate') this.duplicate += events
    else this.rejected += events
    this.waiting -= events
  }

  counts(): DeviceCounts {
    const { sent, resent, stored, duplicate, rejected, waiting } = this
    return { sent, resent, stored, duplicate, rejected, waiting }
  }
}
