import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mosquittoMissing, startMosquitto } from '@qs-telemetry/testing/mosquitto.ts'
import { listen, startPipeline } from '@qs-telemetry/testing/pipeline.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import { fuzzPayload, goodEvent } from './payloads.ts'
import { FUZZ_MESSAGES, FUZZ_SEED, FUZZ_TIMEOUT_MS } from './sizes.ts'

/** Messages under way at once: enough to mix batches, few enough for any broker. */
const WINDOW = 500
const QUIET_MS = 60_000

type Status = 'stored' | 'duplicate' | 'rejected'

test(`${FUZZ_MESSAGES} generated messages through broker and database each end stored or dead-lettered, and none costs a neighbour`, {
  skip: mosquittoMissing,
  timeout: FUZZ_TIMEOUT_MS,
}, async (t) => {
  const broker = await startMosquitto(t)
  // Every dead letter is kept, none merely counted.
  const settings = { DEAD_LETTER_RATE: '1000000', DEAD_LETTER_BYTES: '1GiB' }
  const { query, pipeline } = await startPipeline(t, broker.url, { settings })
  const { client, received } = await listen(t, broker.url)
  const startMs = performance.now()

  const goodIds: string[] = []
  let sent = 0
  const answered = () => received.size - Number(received.has('qs/v1/deadletter'))
  const send = async (deviceId: string, payload: Buffer) => {
    sent++
    await client.publishAsync(`qs/v1/${deviceId}/events`, payload, { qos: 1 })
  }
  for (let n = 0; n < FUZZ_MESSAGES; n += WINDOW) {
    await Promise.all(
      Array.from({ length: Math.min(WINDOW, FUZZ_MESSAGES - n) }, async (_, offset) => {
        const seed = FUZZ_SEED + n + offset
        // A device for each message: its outcome can be looked up in acks and in tables.
        const deviceId = `f${seed}`
        const fuzzed = fuzzPayload(seed, { deviceId, prefix: deviceId })
        await send(deviceId, fuzzed.payload)
        await send(`n${seed}`, Buffer.from(goodEvent(`n${seed}`, `n${seed}`)))
        goodIds.push(...fuzzed.goodIds, `n${seed}`)
      }),
    )
    await until(() => answered() === sent, `all ${sent} are acked`, QUIET_MS)
  }

  const acked: Record<Status, number> = { stored: 0, duplicate: 0, rejected: 0 }
  for (const [topic, payloads] of received) {
    if (topic === 'qs/v1/deadletter') continue
    for (const { status } of payloads.flatMap((each) => JSON.parse(each) as { status: Status }))
      acked[status]++
  }
  const [counts] = await query(`
    select (select count(*)::int from events) as stored, (select count(*)::int from dead_letters) as rejected,
      (select count(*)::int from dead_letters where code in ('INTERNAL_ERROR', 'STORAGE_REJECTED')) as surprises`)
  assert.deepEqual(counts, { stored: acked.stored, rejected: acked.rejected, surprises: 0 })
  const missing = await query(
    'select id from unnest($1::text[]) id where id not in (select event_id from events)',
    [goodIds],
  )
  assert.deepEqual(missing, [])
  assert.equal(pipeline.source.status.unsettledMessages, 0)
  const seconds = (performance.now() - startMs) / 1000
  t.diagnostic(
    `${sent} messages in ${seconds.toFixed(0)} s: ${acked.stored} stored, ${acked.duplicate} duplicate, ${acked.rejected} dead-lettered`,
  )
})
