import type { Config } from '../config/settings.ts'
import type { BrokerAccess } from '../endpoints/broker-options.ts'
import type { BrokerProbe } from './broker-probe.ts'

/** Shared by the checks of the broker. */
export interface BrokerContext {
  readonly config: Config
  readonly access: BrokerAccess
  readonly version: 4 | 5
  /** Topic prefix of the doctor, below the events topic of a device, which no ingester subscribes to. */
  readonly prefix: string
  /** Unique client id of the doctor. */
  readonly clientId: string
  /** Connected, with a clean session. */
  readonly probe: BrokerProbe
  /** Number of messages for the queue test. */
  readonly queueMessages: number
}
