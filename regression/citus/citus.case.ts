import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { DeviceClient } from '@qs-telemetry/device'
import { mosquittoMissing, startMosquitto } from '@qs-telemetry/testing/mosquitto.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import type { Direction, FaultProxy } from '../../packages/qs/src/verify/fault-proxy.ts'
import { openDirectStage } from '../integrity/direct-stage.ts'
import { IngesterProcess } from '../integrity/ingester.ts'
import { lasting } from '../integrity/lasting.ts'
import { FAULT_MS, LINK_FAULTS } from '../integrity/link-faults.ts'
import { mirrorInReverse } from '../integrity/mirror-in-reverse.ts'
import type { Postgres } from '../integrity/postgres.ts'
import type { Scene } from '../integrity/scene.ts'
import { openStage } from '../integrity/stage.ts'
import { Citus, citusMissing } from './cluster.ts'

const skip = citusMissing || mosquittoMissing
const KILLS = 9
const EVENTS = 100
/** A batch that a worker had prepared when it died is only stored again once Citus has ended it: a minute by default. */
const LIMIT_MS = 90_000
const SHARED = { MQTT_EVENTS_TOPIC: '$share/qs/qs/v1/+/events' }

test(`qs up: worker, coordinator and both workers killed, ${KILLS} times: nothing is lost`, {
  skip,
}, async (t) => {
  const { citus, openDatabase } = cluster()
  const stage = await openDirectStage(t, {
    fault: `Citus: nodes killed ${KILLS} times`,
    openDatabase,
    mayBeVisibleLate: true,
    fleet: { eventsPerSecond: 200 },
  })
  await killInTurn(t, stage, citus())
  await stage.finish()
})

test(`two ingesters on a shared subscription, nodes killed ${KILLS} times: nothing is lost`, {
  skip,
}, async (t) => {
  const { citus, openDatabase } = cluster()
  const stage = await openStage(t, {
    fault: `Citus: 2 ingesters, nodes killed ${KILLS} times`,
    openDatabase,
    mayBeVisibleLate: true,
    settings: SHARED,
    fleet: { eventsPerSecond: 300 },
  })
  const second = await stage.addIngester({ MQTT_CLIENT_ID: 'qs-ingester-2' })
  second.start()
  await second.ready()
  await killInTurn(t, stage, citus())
  await stage.finish()
})

for (const { name, begin, end } of LINK_FAULTS)
  test(`qs up: link to a worker, ${name}: events flow within a minute of its end`, { skip }, async (t) => {
    const { citus, openDatabase } = cluster()
    const stage = await openDirectStage(t, { fault: `Citus: link to a worker: ${name}`, openDatabase })
    const link = citus().links[0] as FaultProxy
    await stage.more(300)
    begin(link)
    await lasting(FAULT_MS)
    end(link)
    const tookMs = await stage.flowing(60_000, name)
    t.diagnostic(`events flow again after ${Math.round(tookMs)} ms`)
    await stage.more(300)
    await stage.finish()
  })

test('the same ids in opposite order through two ingesters at once: deadlocks end, each id counted once', {
  skip,
}, async (t) => {
  const { citus, openDatabase } = cluster()
  const stage = await openStage(t, {
    fault: 'Citus: same ids in opposite order through 2 ingesters',
    openDatabase,
    // A batch with known ids is an INSERT, which takes a second for 2,000 rows on busy cores.
    fleet: { eventsPerSecond: 200, arrayEvents: 50 },
  })
  const second = await stage.addIngester({ MQTT_CLIENT_ID: 'qs-ingester-2' })
  second.start()
  await second.ready()
  await mirrorInReverse(t, stage.broker.url, 5_000)
  await stage.finish({ quietMs: 120_000 })
  const log = citus().coordinator.log()
  t.diagnostic(`${log.split('canceling the transaction since it was involved').length - 1} deadlocks`)
})

test('a worker that misses the word to commit: acked events are invisible until Citus sends it again, and none is lost', {
  skip,
}, async (t) => {
  let isArmed = false
  const lose = (_connection: number, direction: Direction, bytes: Buffer) => {
    if (!isArmed || direction !== 'toServer' || !bytes.includes('COMMIT PREPARED')) return
    isArmed = false
    const [link] = citus.links as [FaultProxy]
    link.set({ kind: 'refuse' })
    link.reset()
  }
  const citus = await Citus.open(t, lose)
  const broker = await startMosquitto(t, { isShipped: true })
  const ingester = await IngesterProcess.create(t, {
    mqttUrl: broker.url,
    databaseUrl: citus.coordinator.url,
  })
  t.after(() => ingester.end())
  ingester.start()
  await ingester.ready()
  const device = new DeviceClient({ url: broker.url, deviceId: 'far', batchEvents: EVENTS })
  t.after(() => device.close({ timeoutMs: 0 }))
  device.open()
  isArmed = true
  for (let n = 0; n < EVENTS; n++) void device.send({ event_type: 'temp', value: n })
  await until(() => device.counts().waiting === 0, 'device acks')
  const ackedMs = performance.now()
  assert.equal(isArmed, false, 'nothing was lost on the way')

  const [link] = citus.links as [FaultProxy]
  link.heal()
  const visible = async () => (await citus.coordinator.query('select event_id from events')).length
  const before = await visible()
  assert.ok(before < EVENTS, 'all events are visible at once')
  await until(async () => (await visible()) === EVENTS, 'every acked event is visible', 90_000)
  t.diagnostic(
    `${EVENTS - before} of ${EVENTS} were invisible for ${Math.round(performance.now() - ackedMs)} ms`,
  )
})

function cluster() {
  let opened: Citus | undefined
  return {
    citus: () => opened as Citus,
    openDatabase: async (t: TestContext) => {
      opened = await Citus.open(t)
      return opened.coordinator
    },
  }
}

/** SIGKILL to all processes of a node, as a power cut would. */
async function killInTurn(t: TestContext, stage: Scene, { coordinator, workers }: Citus): Promise<void> {
  const victims: readonly (readonly Postgres[])[] = [[workers[0] as Postgres], [coordinator], workers]
  for (let n = 0; n < KILLS; n++) {
    const nodes = victims[n % victims.length] as readonly Postgres[]
    await stage.more(300)
    await Promise.all(nodes.map((node) => node.kill()))
    await Promise.all(nodes.map((node) => node.start()))
    const tookMs = await stage.flowing(LIMIT_MS, 'a node was killed')
    t.diagnostic(`kill ${n + 1}: events flow again after ${Math.round(tookMs)} ms`)
  }
  await stage.more(300)
  // Otherwise the verdict could come before the last of them are visible.
  await coordinator.query('select recover_prepared_transactions()')
  t.diagnostic(`${stage.checker.visibleLate} acks came before their rows were visible`)
}
