import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mosquittoMissing } from '@qs-telemetry/testing/mosquitto.ts'
import { mirrorInReverse } from './mirror-in-reverse.ts'
import { scale } from './scale.ts'
import { openStage } from './stage.ts'

const skip = mosquittoMissing
const KILLS = scale(6, 2)
const ARRAY_EVENTS = 50
const SHARED = { MQTT_EVENTS_TOPIC: '$share/qs/qs/v1/+/events' }

test('two with the same client id: the second logs it and exits, the first never loses its session', {
  skip,
}, async (t) => {
  const stage = await openStage(t, { fault: 'second ingester with the same client id' })
  await stage.more(300)
  const second = await stage.addIngester()
  second.start()
  assert.equal(await second.exit(), 1)
  assert.match(second.log, /client id qs-ingester is running.*MQTT_CLIENT_ID/)
  await stage.more(300)
  assert.equal(stage.ingester.log, '', 'the first noticed something')
  await stage.finish()
})

test('three on a shared subscription, one of them killed repeatedly: nothing is lost', {
  skip,
}, async (t) => {
  const stage = await openStage(t, {
    fault: `shared subscription of 3 ingesters, one of them killed ${KILLS} times`,
    fleet: { eventsPerSecond: 500 },
    settings: SHARED,
  })
  const others = [
    await stage.addIngester({ MQTT_CLIENT_ID: 'qs-ingester-2' }),
    await stage.addIngester({ MQTT_CLIENT_ID: 'qs-ingester-3' }),
  ] as const
  for (const each of others) each.start()
  for (const each of others) await each.ready()
  for (let n = 0; n < KILLS; n++) {
    const victim = others[n % 2] as (typeof others)[0]
    await stage.more(500)
    await victim.kill('SIGKILL')
    await stage.flowing(5_000, 'one of three was killed')
    await stage.more(500)
    victim.start()
    await victim.ready()
  }
  await stage.more(500)
  for (const each of others) assert.ok(((await each.gauges())?.received ?? 0) > 0, 'one got nothing')
  await stage.finish()
})

test('the same ids in opposite order through two ingesters at once: no deadlock, each counted once', {
  skip,
}, async (t) => {
  const events = scale(40_000, 8_000)
  const stage = await openStage(t, {
    fault: 'same ids in opposite order through 2 ingesters',
    fleet: { eventsPerSecond: 2_000, arrayEvents: ARRAY_EVENTS },
  })
  // No shared subscription: each gets everything.
  const second = await stage.addIngester({ MQTT_CLIENT_ID: 'qs-ingester-2' })
  second.start()
  await second.ready()
  await mirrorInReverse(t, stage.broker.url, events)
  await stage.finish()
  const [row] = await stage.postgres.query(`select deadlocks::int from pg_stat_database where datname = 'qs'`)
  assert.equal(row?.deadlocks, 0)
})
