import type { TestContext } from 'node:test'
import { silentLog } from '@qs-telemetry/testing/silent-log.ts'
import type { Packet } from 'mqtt-packet'
import { realEdges } from '../../src/app/edges.ts'
import type { QsError } from '../../src/errors/qs-error.ts'
import type { Delivery } from '../../src/pipeline/delivery.ts'
import { Source, type SourceOptions } from '../../src/source/source.ts'

/** A source and its deliveries, which the test settles. */
export function startSource(t: TestContext, url: string, options: Partial<SourceOptions> = {}) {
  const deliveries: Delivery[] = []
  const failures: QsError[] = []
  const { log, records } = silentLog()
  const source = new Source({
    url,
    caFile: null,
    clientId: 'test',
    username: null,
    password: () => null,
    filter: 'qs/v1/+/events',
    sessionExpiryMs: 60_000,
    receiveMaximum: 100,
    keepAliveMs: 60_000,
    highWatermark: { messages: 100, bytes: 100_000 },
    ...realEdges(),
    log,
    onDelivery: (delivery) => deliveries.push(delivery),
    onFailure: (error) => failures.push(error),
    ...options,
  })
  const connected = source.start()
  t.after(() => source.stop())
  return { source, connected, deliveries, failures, records }
}

/** Packet identifiers of the PUBACKs, oldest first. */
export const pubacks = (received: readonly Packet[] = []) =>
  received.filter(({ cmd }) => cmd === 'puback').map(({ messageId }) => messageId)
