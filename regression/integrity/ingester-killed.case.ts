import { test } from 'node:test'
import { mosquittoMissing } from '@qs-telemetry/testing/mosquitto.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import { Gate } from './gate.ts'
import { commonKills, type Kills } from './kills.ts'
import { lasting } from './lasting.ts'
import { PubackGate } from './puback-gate.ts'
import { scale } from './scale.ts'
import { openStage } from './stage.ts'

const KILLS = scale(200, 20)
const WRITERS = 2
const BATCH_KIB = 16
/** Not a measurement: loading a program on a busy machine takes long. */
const START_MS = 60_000
/** After this many kills the ingester is left alone until the devices have their acks. */
const SERIES = 20

test(`the ingester is killed (SIGKILL) ${KILLS} times, half of them at random and half at the five critical points`, {
  skip: mosquittoMissing,
}, async (t) => {
  const pubacks = new PubackGate()
  const stage = await openStage(t, {
    fault: `ingester killed ${KILLS} times`,
    // Resent more often, copies would pile up in the broker faster than a half-second ingester takes them.
    fleet: { eventsPerSecond: 150, resendAfterMs: 10_000 },
    // Small batches: one of 1 MiB would hold all that the broker sends ahead and leave nothing for the second writer.
    settings: { DATABASE_WRITERS: String(WRITERS), BATCH_BYTES: `${BATCH_KIB}KiB` },
    wrapBroker: (url) => pubacks.listen(t, url),
  })
  const { ingester } = stage
  const insert = await Gate.build(t, stage, 'insert')
  const commit = await Gate.build(t, stage, 'commit')

  /** Each resolves when the ingester is dead. */
  const kills: Kills = {
    'before the transaction of some events, and inside that of others': async () => {
      await insert.close()
      await insert.holds()
      // More than the batches of all writers hold. Not all writers need to be held: a batch that may bring new event
      // types, as any does soon after a start, waits for the one before it.
      const hasMore = async () => ((await ingester.gauges())?.bytesInFlight ?? 0) > WRITERS * BATCH_KIB * 1024
      await until(hasMore, 'more events are taken in than the transactions hold', START_MS)
      await ingester.kill()
      await insert.open()
    },
    ...commonKills(ingester, commit, 'device ack'),
    'between device ack and PUBACK': async () => {
      pubacks.isClosed = true
      await stage.more(1)
      await ingester.kill()
      pubacks.isClosed = false
    },
  }
  const aimed = Object.entries(kills)

  for (let n = 0; n < KILLS; n++) {
    await stage.more(1, START_MS)
    if (n % SERIES === 0) await until(() => stage.fleet.waiting < 500, `acks before kill ${n}`, START_MS)
    ingester.prepare()
    const [place, kill] = aimed[(n >> 1) % aimed.length] as (typeof aimed)[number]
    if (n % 2 === 0) {
      await lasting(Math.random() * 500)
      await ingester.kill()
    } else {
      await kill().catch((error) => {
        throw new Error(`Kill ${n}, ${place}: ${(error as Error).message}`)
      })
    }
    ingester.start()
  }
  await stage.more(300, START_MS)
  await stage.finish()
})
