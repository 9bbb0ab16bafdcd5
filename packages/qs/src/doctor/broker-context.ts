import type { Config } from '../config/settings.ts'
import type { BrokerAccess, BrokerProbe } from './broker-probe.ts'

/** What the checks of a broker share. */
export interface BrokerContext {
  readonly config: Config
  readonly access: BrokerAccess
  readonly version: 4 | 5
  /** Where the doctor publishes: below the events topic of a device, where no ingester listens. */
  readonly prefix: string
  /** Of its clients; nobody else's. */
  readonly clientId: string
  /** Connected, with a clean session. */
  readonly probe: BrokerProbe
  /** How many messages the queue is tried with. */
  readonly queueMessages: number
}
