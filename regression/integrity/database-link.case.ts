import { suite, test } from 'node:test'
import { mosquittoMissing } from '@qs-telemetry/testing/mosquitto.ts'
import { FAULT_MS, LINK_FAULTS } from './link-faults.ts'
import { noticed, openLinkedStage } from './links.ts'
import { scale } from './scale.ts'

const FLOWING_MS = 5_000
/** The second fault must be noticed as soon as the first. */
const TIMES = scale(2, 1)

/** Parallel: each mostly waits. */
suite('database link', { concurrency: 3 }, () => {
  for (const { name, isTold, begin, end } of LINK_FAULTS) {
    test(`database link, ${name}: noticed within 10 s, flowing within 5 s of healing`, {
      skip: mosquittoMissing,
    }, async (t) => {
      const { stage, databaseLink } = await openLinkedStage(t, { fault: `database link: ${name}` })
      for (let time = 0; time < TIMES; time++) {
        await stage.more(300)
        if (isTold) begin(databaseLink)
        else {
          const ms = await noticed(stage.ingester, () => begin(databaseLink), FAULT_MS)
          t.diagnostic(`noticed after ${(ms / 1000).toFixed(1)} s`)
        }
        end(databaseLink)
        await stage.flowing(FLOWING_MS, name)
      }
      await stage.more(300)
      await stage.finish()
    })
  }
})
