import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addChannel } from '../../src/alerts/channels.ts'
import { alertsIn, startReceiver, startStage, until } from './alert-stage.ts'

const MINUTE = 60
const HOUR = 60 * MINUTE
const STEP = 2 * MINUTE

/** What is wrong when, in seconds from the start of the day. */
const FAULTS = {
  device: [1 * HOUR, 2 * HOUR],
  sensor: [3 * HOUR, 4 * HOUR],
  heat: [5 * HOUR, 6 * HOUR],
  battery: [7 * HOUR, 8 * HOUR],
  clock: [9 * HOUR, 11 * HOUR],
  letters: [12 * HOUR, 12 * HOUR + MINUTE],
  house: [14 * HOUR, 15 * HOUR],
  disk: [16 * HOUR, 17 * HOUR],
  service: [18 * HOUR, 19 * HOUR],
} as const

const BOTH = (what: string) => [`firing ${what}`, `ended ${what}`]

test('in a day with faults every alert fires once and ends once, though the ingester restarts every hour and the channel fails', async (t) => {
  const stage = await startStage(t)
  const receiver = await startReceiver(t)
  await stage.pool.query(`insert into alert_rules (name, kind, types, unit, above, below, back, for_seconds) values
    ('heat', 'value', 'temp', null, 30, null, 2, 300), ('battery', 'value', 'battery', '%', null, 15, 5, 300)`)
  await addChannel(stage.pool, {
    name: 'hook',
    kind: 'webhook',
    settings: { url: receiver.url },
    quiet: null,
  })
  const taken: string[] = []
  let requests = 0
  receiver.answer = (response) => {
    response.statusCode = requests++ % 3 === 1 ? 500 : 200
    if (response.statusCode === 200) taken.push(...alertsIn(receiver.received.at(-1) ?? assert.fail()))
    response.end()
  }
  const isNow = (fault: keyof typeof FAULTS, second: number) =>
    second >= FAULTS[fault][0] && second < FAULTS[fault][1]

  for (let second = 0; second < 24 * HOUR; second += STEP) {
    if (!isNow('house', second)) {
      for (const device of ['kitchen', 'cellar', 'attic']) {
        if (device === 'cellar' && isNow('device', second)) continue
        const wave = 20 + 4 * Math.sin(second / HOUR)
        await stage.reading(device, device === 'attic' && isNow('heat', second) ? 35 : wave)
        if (!(device === 'kitchen' && isNow('sensor', second)))
          await stage.reading(device, 50, { type: 'humidity', unit: '%' })
      }
      await stage.reading('attic', isNow('battery', second) ? 10 : 80, { type: 'battery', unit: '%' })
    }
    const clock = isNow('clock', second) ? ['off', 7_200] : ['good', 0.3]
    await stage.pool.query(
      `update devices set (clock, clock_offset) = ($1, $2) where device_id = 'attic'`,
      clock,
    )
    if (isNow('letters', second))
      await stage.pool.query(
        `insert into ingest_stats values (date_trunc('minute', $1::timestamptz), 'flood', 1, 25, 0, 0, 25)`,
        [stage.now()],
      )
    stage.service.disk = { freeBytes: isNow('disk', second) ? 5 : 50, totalBytes: 100 }
    stage.service.alarms = new Map(isNow('service', second) ? [['stalled', 'nothing is committed']] : [])
    if (second % HOUR === 30 * MINUTE) await stage.restart()
    await stage.pass(STEP, STEP)
  }
  await stage.pass(5 * MINUTE, MINUTE)

  const expected = [
    ...BOTH('silent-devices cellar'),
    ...BOTH('silent-sensors kitchen humidity'),
    ...BOTH('heat attic temp'),
    ...BOTH('battery attic battery'),
    ...BOTH('clocks attic'),
    ...BOTH('dead-letters'),
    ...BOTH('nothing-ingested'),
    ...BOTH('disk'),
    ...BOTH('service stalled'),
  ]
  assert.deepEqual(await stage.history(), expected)
  await until(() => taken.length >= expected.length, 'everything is told')
  assert.deepEqual(
    taken.toSorted(),
    expected.map((line) => line.split(' ').slice(0, 3).join(' ').replace(' stalled', '')).toSorted(),
  )
})
