import { test } from 'node:test'
import { until } from '@qs-telemetry/testing/until.ts'
import { Gate } from './gate.ts'
import { commonKills, type Kills } from './kills.ts'
import { lasting } from './lasting.ts'
import { openLinkedDirectStage } from './links.ts'
import { scale } from './scale.ts'

const KILLS = scale(200, 20)
/** Not a measurement: loading a program on a busy machine takes long. */
const START_MS = 60_000
/** After this many kills `qs up` is left alone until the devices have their answers, however slow the machine is. */
const SERIES = 20
const ANSWERS_MS = 5 * 60_000

test(`qs up is killed (SIGKILL) ${KILLS} times, half of them at random and half in and around COMMIT: everything with a PUBACK is a row`, async (t) => {
  const { stage, brokerLink } = await openLinkedDirectStage(t, {
    fault: `killed ${KILLS} times`,
    fleet: { eventsPerSecond: 50, resendAfterMs: 10_000 },
    settings: { BATCH_BYTES: '16KiB' },
  })
  const { ingester } = stage
  const insert = await Gate.build(t, stage, 'insert')
  const commit = await Gate.build(t, stage, 'commit')

  /** Each resolves when `qs up` is dead. */
  const kills: Kills = {
    'inside the transaction': async () => {
      await insert.close()
      await insert.holds()
      await lasting(30)
      await ingester.kill()
      await insert.open()
    },
    ...commonKills(ingester, commit, 'PUBACK'),
    'between PUBACK and device': async () => {
      brokerLink.set({ kind: 'silent', direction: 'toClient' })
      const before = (await ingester.gauges())?.stored ?? 0
      const areStored = async () => ((await ingester.gauges())?.stored ?? 0) > before
      await until(areStored, 'events are stored', START_MS)
      await ingester.kill()
      brokerLink.heal('forgotten')
      brokerLink.reset()
    },
  }
  const aimed = Object.entries(kills)

  for (let n = 0; n < KILLS; n++) {
    await stage.more(1, START_MS)
    if (n % SERIES === 0) {
      await until(() => stage.sent - stage.acked < 500, `answers before kill ${n}`, ANSWERS_MS)
      console.log(`${n} kills, ${stage.sent} sent, ${stage.acked} acked`)
    }
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
