import { test } from 'node:test'
import { mosquittoMissing } from '@qs-telemetry/testing/mosquitto.ts'
import { goodItem, poisonItem } from './item.ts'
import { scale } from './scale.ts'
import { openStage } from './stage.ts'

/** One event in `oneIn` is poison; `events` are sent in total. */
const CASES = [
  { oneIn: 100, events: scale(30_000, 4_000), eventsPerSecond: 1_000 },
  { oneIn: 1, events: scale(6_000, 1_000), eventsPerSecond: 200 },
]

for (const { oneIn, events, eventsPerSecond } of CASES) {
  test(`a constraint refuses one in ${oneIn} of ${events} events: those and no others are dead letters`, {
    skip: mosquittoMissing,
  }, async (t) => {
    const stage = await openStage(t, {
      fault: `poison rows, ${100 / oneIn} %`,
      fleet: {
        eventsPerSecond,
        // Each copy of a poison event is another dead letter.
        resendAfterMs: 30_000,
        arrayEvents: oneIn === 1 ? 1 : 5,
        makeItem: (deviceId, n) => (n % oneIn === 0 ? poisonItem : goodItem)(deviceId, n),
      },
      settings: { DEAD_LETTER_RATE: '1000000', DEAD_LETTER_BYTES: '1GiB' },
      prepare: (postgres) =>
        postgres.query("alter table events add constraint no_poison check (event_type <> 'poison')"),
    })
    await stage.more(events, 180_000)
    await stage.finish()
  })
}
