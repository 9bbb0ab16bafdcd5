import assert from 'node:assert/strict'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { test } from 'node:test'
import { type Mosquitto, mosquittoMissing } from '@qs-telemetry/testing/mosquitto.ts'
import { goodItem } from './item.ts'
import { lasting } from './lasting.ts'
import { patience, scale } from './scale.ts'
import { SelfishClient } from './selfish-client.ts'
import { openStage } from './stage.ts'

const FLOOD_MS = scale(30_000, 8_000)
const AFTER_MS = scale(10_000, 3_000)
/** The most that one device can make the broker keep. */
const MAX_STORE_BYTES = 4 * 1024 ** 2
/** If it queued device acks and saved every second, the broker would write 20 MB a second in a flood of 8 s. */
const MAX_WRITTEN_BYTES_A_SECOND = 1024 ** 2
const MAX_ACK_MS = patience(5_000)
const NAME = 'selfish'.padEnd(110, '0')

for (const { kind, qos, how } of [
  { kind: 'silent', qos: 1, how: 'never sends a PUBACK for its device acks' },
  { kind: 'deaf', qos: 1, how: 'stops reading, subscribed with QoS 1' },
  { kind: 'deaf', qos: 0, how: 'stops reading, subscribed with QoS 0' },
] as const) {
  test(`a device with a durable session ${how}: the broker keeps little of it, and no device waits`, {
    skip: mosquittoMissing,
  }, async (t) => {
    const stage = await openStage(t, {
      fault: `flood of a device that ${how}`,
      fleet: { devices: 4, eventsPerSecond: 50 },
    })
    await stage.more(100)
    // Its first event is stored; after that it sends only copies.
    const own = goodItem(`${NAME}-0`, 1)
    const first = stage.addFleet({ name: NAME, devices: 1, eventsPerSecond: 1, makeItem: () => own })
    await first.start()
    await first.sentOne()
    const selfish = new SelfishClient({ port: stage.broker.port, item: own, kind, qos })
    t.after(() => selfish.leave())
    await selfish.open()

    stage.fleet.takeLatencies()
    const writtenWhile = await written(stage.broker, FLOOD_MS)
    const worstMs = Math.max(...stage.fleet.takeLatencies())
    selfish.leave()
    const writtenAfter = await written(stage.broker, AFTER_MS)
    // SIGTERM saves what the broker keeps.
    await stage.finish()
    await stage.broker.kill()
    const storeBytes = existsSync(stage.broker.store) ? statSync(stage.broker.store).size : 0

    t.diagnostic(
      `${selfish.events} copies; the broker wrote ${kib(writtenWhile)} KiB/s, afterwards ${kib(writtenAfter)} KiB/s, ` +
        `and keeps ${kib(storeBytes)} KiB; the worst ack of another device took ${worstMs.toFixed(0)} ms`,
    )
    assert.ok(storeBytes < MAX_STORE_BYTES, `the broker keeps ${kib(storeBytes)} KiB`)
    assert.ok(writtenWhile < MAX_WRITTEN_BYTES_A_SECOND, `${kib(writtenWhile)} KiB/s written`)
    assert.ok(writtenAfter < MAX_WRITTEN_BYTES_A_SECOND, `${kib(writtenAfter)} KiB/s written afterwards`)
    assert.ok(worstMs < MAX_ACK_MS, `a device ack took ${worstMs} ms`)
  })
}

/** Bytes a second that the broker writes to disk. */
async function written({ pid }: Mosquitto, ms: number): Promise<number> {
  const bytes = () => Number(/^write_bytes: (\d+)/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1])
  const before = bytes()
  await lasting(ms)
  return ((bytes() - before) / ms) * 1_000
}

function kib(bytes: number): number {
  return Math.round(bytes / 1024)
}
