import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mosquittoMissing } from '@qs-telemetry/testing/mosquitto.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import fc from 'fast-check'
import { connectAsync } from 'mqtt'
import { oddRows } from '../../packages/qs/test/segments/odd-events.ts'
import { type Item, item, type MakeItem } from './item.ts'
import { lasting } from './lasting.ts'
import { scale } from './scale.ts'
import { checkSealed, prepareSealing, SealingSession, sealAll, sealingPid } from './sealing.ts'
import { openStage } from './stage.ts'

const KILLS = scale(200, 20)
/** Not a measurement: loading a program on a busy machine takes long. */
const START_MS = 60_000
const REPEAT_MS = 20
const DAY_MS = 86_400_000

test(`sealing under load is killed ${KILLS} times: nothing lost, nothing twice, every column the same bytes`, {
  skip: mosquittoMissing,
}, async (t) => {
  const late = lateItems(Date.now() - 40 * DAY_MS)
  const stage = await openStage(t, {
    fault: `sealing killed ${KILLS} times`,
    fleet: { eventsPerSecond: 50, resendAfterMs: 10_000 },
    prepare: (postgres) =>
      prepareSealing(postgres, {
        odd: fc.sample(oddRows, 100).flat(),
        eventsEach: scale(10_000, 1_000),
      }),
  })
  const { postgres, ingester } = stage
  await stage
    .addFleet({ name: 'late', eventsPerSecond: 50, resendAfterMs: 10_000, makeItem: late.make })
    .start()
  const repeater = await connectAsync(stage.broker.url, { clientId: 'repeater' })
  const repeating = setInterval(
    () => late.repeat((topic, text) => repeater.publish(topic, text, { qos: 1 })),
    REPEAT_MS,
  )
  const session = new SealingSession(postgres)
  t.after(async () => {
    clearInterval(repeating)
    await Promise.all([repeater.endAsync(true), session.stop()])
  })

  /** By turns; a backend that is killed takes all sessions with it, and PostgreSQL recovers. */
  const kills = [
    (pid: number) => postgres.query(`select pg_terminate_backend(${pid})`),
    (pid: number) => postgres.query(`select pg_terminate_backend(${pid})`),
    async () => {
      await ingester.kill()
      ingester.start()
    },
    (pid: number) => postgres.query(`select pg_terminate_backend(${pid})`),
    (pid: number) => process.kill(pid, 'SIGKILL'),
  ]
  for (let n = 0; n < KILLS; n++) {
    await lasting(Math.random() * 50)
    await until(
      async () => {
        const pid = await sealingPid(postgres)
        return pid !== null && (await hits(() => kills[n % kills.length]?.(pid)))
      },
      'a step of sealing is killed',
      START_MS,
    )
    if (n % 10 === 0) await stage.more(20, START_MS)
  }
  await stage.more(300, START_MS)
  clearInterval(repeating)
  await session.stop()
  await stage.finish()
  await checkSealed(postgres)
  await sealAll(postgres)
  const { arrived, sealed } = await checkSealed(postgres)
  t.diagnostic(
    `${arrived} events arrived, ${sealed} of them are sealed, ${late.repeated} late ones were sent again`,
  )
  assert.ok(late.repeated > 0 && sealed > arrived / 2)
})

/** Whether the session was still there, and PostgreSQL took connections: after a SIGKILL it recovers. */
async function hits(kill: () => unknown): Promise<boolean> {
  try {
    await kill()
    return true
  } catch {
    return false
  }
}

/** Events of the days from `fromMs` on, with all six digits of a second; `repeat` sends an earlier one again. */
function lateItems(fromMs: number) {
  const sent: Item[] = []
  const make: MakeItem = (deviceId, n) => {
    const second = new Date(fromMs + n * 37_003).toISOString().slice(0, 19)
    const made = item(deviceId, n, {
      event_type: 'temp',
      ...(n % 4 > 0 && { value: n % 4 === 1 ? n / 7 : n % 4 === 2 ? 5e-324 * n : `text ${n}` }),
      ...(n % 3 === 0 && { unit: '°C' }),
      ...(n % 5 === 0 && { meta: { n: 0.1 * n, a: [null, ''] } }),
      ts_device: `${second}.${String((n * 7_919) % 1_000_000).padStart(6, '0')}Z`,
    })
    sent.push(made)
    return made
  }
  let repeated = 0
  return {
    make,
    get repeated() {
      return repeated
    },
    repeat(publish: (topic: string, text: string) => void): void {
      const again = sent[Math.floor(Math.random() * sent.length)]
      if (again === undefined) return
      publish(`qs/v1/${again.deviceId}/events`, again.payload)
      repeated++
    },
  }
}
