import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

/** For every process that runs a console. */
export function consoleEndedCounter(registry: Registry): Counter {
  return new Counter({
    name: 'qs_console_ended_total',
    help: 'Unexpected exits of the console process; the log says why',
    registers: [registry],
  })
}

export interface ProcessMetrics {
  read(): Promise<{ readonly contentType: string; readonly text: string }>
  /** Counts an unexpected exit of the console process. */
  consoleEnded(): void
}

/** The metrics of a process without a pipeline: memory, CPU, event loop. */
export function processMetrics(): ProcessMetrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const ended = consoleEndedCounter(registry)
  return {
    read: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
    consoleEnded: () => ended.inc(),
  }
}

/** Values kept elsewhere, read at each scrape. */
export interface Readings {
  readonly connected: () => number
  readonly paused: () => number
  readonly unsettledMessages: () => number
  readonly unsettledBytes: () => number
  readonly reconnects: () => number
  readonly sessionsLost: () => number
  readonly publishesGivenUp: () => number
  readonly qos0Dropped: () => number
  readonly willsDropped: () => number
  readonly devicesOverBudget: () => number
}

const READINGS: { readonly [Name in keyof Readings]: readonly [name: string, help: string] } = {
  connected: ['qs_broker_connected', '1 while connected to the broker and subscribed'],
  paused: ['qs_source_paused', '1 while reading is paused at the high watermark'],
  unsettledMessages: ['qs_messages_in_flight', 'Messages received and not yet committed'],
  unsettledBytes: ['qs_bytes_in_flight', 'Payload bytes of the messages in flight'],
  reconnects: ['qs_broker_reconnects', 'Connections to the broker after the first'],
  sessionsLost: ['qs_broker_sessions_lost', 'Connections at which the broker no longer had the session'],
  publishesGivenUp: [
    'qs_publishes_given_up',
    'QoS 1 messages given up because the broker took them too slowly, or closed the connection on them three times',
  ],
  qos0Dropped: [
    'qs_qos0_messages_dropped',
    'Event messages with QoS 0 that qs up dropped because nothing was committed',
  ],
  willsDropped: [
    'qs_wills_dropped',
    'Wills on event topics that qs up dropped because the pipeline was full',
  ],
  devicesOverBudget: [
    'qs_devices_over_budget',
    'Devices that exceeded one of their budgets (DEVICE_…_PER_SECOND) within the last minute',
  ],
}

/**
 * The metrics. At every scrape
 * qs_events_received_total = qs_events_total{stored} + {duplicate} + {rejected} + qs_events_in_flight.
 */
export class Metrics {
  readonly registry = new Registry()
  readonly #registers = [this.registry]
  readonly messagesReceived = new Counter({
    name: 'qs_messages_received_total',
    help: 'PUBLISH packets received',
    registers: this.#registers,
  })
  readonly eventsReceived = new Counter({
    name: 'qs_events_received_total',
    help: 'Events decoded; an unreadable message counts as one',
    registers: this.#registers,
  })
  readonly events = new Counter({
    name: 'qs_events_total',
    help: 'Events by outcome, counted after COMMIT',
    labelNames: ['outcome'],
    registers: this.#registers,
  })
  readonly eventsInFlight = new Gauge({
    name: 'qs_events_in_flight',
    help: 'Events decoded and not yet committed',
    registers: this.#registers,
  })
  readonly deadLetters = new Counter({
    name: 'qs_dead_letters_total',
    help: 'Rejected events by code',
    labelNames: ['code'],
    registers: this.#registers,
  })
  readonly deadLettersCounted = new Counter({
    name: 'qs_dead_letters_only_counted_total',
    help: 'Rejected events beyond DEAD_LETTER_RATE or DEAD_LETTER_BYTES: counted and not kept as dead letters',
    labelNames: ['code'],
    registers: this.#registers,
  })
  readonly alarms = new Gauge({
    name: 'qs_alarm',
    help: '1 while this alarm is active; /readyz says what is wrong',
    labelNames: ['alarm'],
    registers: this.#registers,
  })
  readonly brokerDropped = new Gauge({
    name: 'qs_broker_messages_dropped',
    help: 'Messages dropped by the broker since its start; NaN if the broker does not report it',
    registers: this.#registers,
  })
  readonly deviceTimeUnreadable = new Counter({
    name: 'qs_device_time_unreadable_total',
    help: 'Events whose ts_device could not be read',
    registers: this.#registers,
  })
  readonly commitSeconds = new Histogram({
    name: 'qs_commit_seconds',
    help: 'From taking a batch to its COMMIT, retries included',
    buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5, 30, 300],
    registers: this.#registers,
  })
  readonly batchEvents = new Histogram({
    name: 'qs_batch_events',
    help: 'Events in one transaction',
    buckets: [1, 10, 50, 100, 500, 1000, 2000, 5000, 10_000, 20_000],
    registers: this.#registers,
  })
  readonly sealedEvents = new Counter({
    name: 'qs_sealed_events_total',
    help: 'Events packed into event_segments',
    registers: [this.registry],
  })
  readonly droppedEvents = new Counter({
    name: 'qs_dropped_events_total',
    help: 'Events deleted because they were older than KEEP_EVENTS or an exception says',
    registers: [this.registry],
  })
  readonly hoursRecounted = new Gauge({
    name: 'qs_event_hours_recounted',
    help: 'Share of the series whose numbers by the hour are recounted after an update, 1 when complete; NaN in the first seconds',
    registers: this.#registers,
  })
  readonly hoursMended = new Counter({
    name: 'qs_event_hours_mended_total',
    help: 'Hours that differed from their events and were counted again: omitted by an earlier version (recount), or for an unknown reason (differing)',
    labelNames: ['found'],
    registers: this.#registers,
  })
  readonly missingEvents = new Gauge({
    name: 'qs_missing_events',
    help: 'Numbers in event ids (<device>-<epoch>-<number>) that never came, of all devices; NaN until they are counted',
    registers: this.#registers,
  })
  readonly devicesWithGaps = new Gauge({
    name: 'qs_devices_with_gaps',
    help: 'Devices of which numbers never came; NaN until they are counted',
    registers: this.#registers,
  })
  readonly backupTime = new Gauge({
    name: 'qs_backup_time_seconds',
    help: 'Unix time of the newest backup in BACKUP_DIR; NaN if there is none, or if another ingester makes them',
    registers: this.#registers,
  })
  readonly consoleEnded = consoleEndedCounter(this.registry)
  readonly retries = new Counter({
    name: 'qs_batch_retries_total',
    help: 'Batches that failed in PostgreSQL and were retried',
    registers: this.#registers,
  })

  constructor(readings: Readings) {
    this.hoursRecounted.set(Number.NaN)
    this.backupTime.set(Number.NaN)
    this.missingEvents.set(Number.NaN)
    this.devicesWithGaps.set(Number.NaN)
    for (const found of ['recount', 'differing']) this.hoursMended.inc({ found }, 0)
    for (const outcome of ['stored', 'duplicate', 'rejected']) this.events.inc({ outcome }, 0)
    for (const [reading, [name, help]] of Object.entries(READINGS)) {
      const read = readings[reading as keyof Readings]
      new Gauge({
        name,
        help,
        registers: this.#registers,
        collect() {
          this.set(read())
        },
      })
    }
  }

  /** Adds the metrics of the Node process: memory, CPU, event loop. */
  watchProcess(): void {
    collectDefaultMetrics({ register: this.registry })
  }
}
