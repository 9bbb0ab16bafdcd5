import { suite, test } from 'node:test'
import { FAULT_MS, LINK_FAULTS } from './link-faults.ts'
import { LINKED_STACKS, noticed } from './links.ts'
import { scale } from './scale.ts'

const FLOWING_MS = 5_000
/** The second fault must be noticed as soon as the first. */
const TIMES = scale(2, 1)

/** Parallel: each mostly waits. */
suite('database link', { concurrency: 3 }, () => {
  for (const { name: stack, skip, open } of LINKED_STACKS) {
    for (const { name, isTold, begin, end } of LINK_FAULTS) {
      test(`${stack}database link, ${name}: noticed within 10 s, flowing within 5 s of healing`, {
        skip,
      }, async (t) => {
        const { stage, databaseLink } = await open(t, { fault: `database link: ${name}` })
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
  }
})
