import { suite, test } from 'node:test'
import { lasting } from './lasting.ts'
import { LINK_FAULTS } from './link-faults.ts'
import { openLinkedDirectStage } from './links.ts'
import { scale } from './scale.ts'

const LASTS_MS = 3_000
/** The devices reconnect after 15 s without an answer. */
const FLOWING_MS = 20_000
const TIMES = scale(2, 1)

/** Parallel: each mostly waits. */
suite('device link', { concurrency: 3 }, () => {
  for (const { name, begin, end } of LINK_FAULTS) {
    test(`qs up: link to the devices, ${name}: flowing after it, and no PUBACK astray`, async (t) => {
      const { stage, brokerLink } = await openLinkedDirectStage(t, {
        fault: `link to the devices: ${name}`,
        fleet: { devices: 2, eventsPerSecond: 20 },
      })
      for (let time = 0; time < TIMES; time++) {
        await stage.more(300)
        begin(brokerLink)
        await lasting(LASTS_MS)
        end(brokerLink)
        await stage.flowing(FLOWING_MS, name)
      }
      await stage.more(300)
      // The MQTT library of the fleet takes a minute to give up a connection that stays silent.
      brokerLink.reset()
      await stage.finish()
    })
  }
})
