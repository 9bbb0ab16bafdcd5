import { formatInstant } from '@qs-telemetry/protocol'
import { realEdges } from '../../packages/qs/src/app/edges.ts'
import { Message } from '../../packages/qs/src/pipeline/message.ts'
import { Sink } from '../../packages/qs/src/sink/sink.ts'
import { createLog } from '../../packages/qs/src/telemetry/log.ts'

const EVENTS_A_MESSAGE = 100
const MESSAGES_A_BATCH = 50

/** Stores fresh events of many boards by the ingester's own writer, one batch after the other. @returns events a second */
export async function writeRate(url: string, run: number, batches: number): Promise<number> {
  const edges = realEdges()
  const sink = new Sink({
    ...edges,
    name: `years-${run}`,
    connect: () => edges.connect({ url, name: 'qs-bench-years', connectTimeoutMs: 10_000 }),
    timeoutMs: 60_000,
    writers: 1,
    log: createLog('warn'),
    onRetry: () => {},
  })
  try {
    await store(sink, `${run}-warm`, 5)
    const start = performance.now()
    await store(sink, `${run}`, batches)
    return (batches * MESSAGES_A_BATCH * EVENTS_A_MESSAGE * 1000) / (performance.now() - start)
  } finally {
    sink.stop()
  }
}

async function store(sink: Sink, boot: string, batches: number): Promise<void> {
  const { clock } = realEdges()
  for (let batch = 0; batch < batches; batch++) {
    const messages = Array.from({ length: MESSAGES_A_BATCH }, (_, n) =>
      messageOf(boot, batch, n, formatInstant(clock.now())),
    )
    const deliveries = messages.map(({ delivery }) => delivery)
    await sink.write(sink.gather(deliveries, (delivery) => messages[deliveries.indexOf(delivery)] as Message))
  }
}

function messageOf(boot: string, batch: number, n: number, tsServer: string): Message {
  const deviceId = `board-${String(1 + (n % 30)).padStart(2, '0')}`
  const elements = Array.from({ length: EVENTS_A_MESSAGE }, (_, i) => ({
    kind: 'event' as const,
    eventId: `${deviceId}-${boot}-${(batch * MESSAGES_A_BATCH + n) * EVENTS_A_MESSAGE + i}`,
    deviceId,
    eventType: 'temp',
    valueNum: 20 + (i % 97) / 100,
    valueText: null,
    valueExact: null,
    unit: '°C',
    ts: tsServer,
    tsDevice: tsServer,
    tsDeviceLocal: null,
    tsDeviceRaw: null,
    schema: 1,
    meta: i % 5 === 0 ? '{"rssi":-61,"heap":181234}' : null,
    warning: null,
  }))
  const delivery = {
    topic: `qs/v1/${deviceId}/events`,
    payload: Buffer.alloc(0),
    redelivered: false,
    receivedAt: { epochMs: Date.parse(tsServer), micros: 0 },
    settle: () => {},
  }
  return new Message({ delivery, deviceId, shape: 'array', tsServer, elements }, () => elements)
}
