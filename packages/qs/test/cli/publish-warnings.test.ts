import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestConsole } from '@qs-telemetry/testing/console.ts'
import { runQs } from '@qs-telemetry/testing/qs.ts'

test('publish sends the input unchanged, and reports what is stored differently, what that means and what to do', async (t) => {
  const { mqttPort, query } = await startTestConsole(t)
  const env = { MQTT_URL: `mqtt://127.0.0.1:${mqttPort}` }
  const publish = (args: readonly string[], input?: string) =>
    runQs(t, ['publish', '--device', 'd', ...args], { env, ...(input !== undefined && { input }) })

  const events = [
    '{"event_id":"d-twice", "event_type":"a", "value":1,\n "value":2.123456}',
    '{"event_id":"d-rounded","event_type":"a","value":9007199254740993}',
    '{"event_id":"d-1970","event_type":"a","ts_device":12}',
    '{"event_id":"d-age","event_type":"a","age_ms":-1}',
  ]
  const { stdout, code } = await publish([`[${events.join(',')}]`])
  assert.equal(code, 0)
  assert.match(stdout, /stored +d-twice +KEY_REPEATED: Stored with the last value of "value"/)
  assert.match(stdout, /stored +d-rounded +VALUE_ROUNDED: Stored as 9007199254740992/)
  assert.match(
    stdout,
    /stored +d-1970 +TS_DEVICE_IMPLAUSIBLE: Charts use the server time: ts_device is \d+ days behind it/,
  )
  assert.match(
    stdout,
    /warning +1 event is stored with changes \(TS_DEVICE_IMPLAUSIBLE\)\. .*Set the clock of the device/,
  )
  assert.match(stdout, /warning +1 event is stored with changes \(AGE_UNUSABLE\)/)
  assert.deepEqual(await query('select event_id, value_num, value_exact from events order by event_id'), [
    { event_id: 'd-1970', value_num: null, value_exact: null },
    { event_id: 'd-age', value_num: null, value_exact: null },
    { event_id: 'd-rounded', value_num: 9007199254740992, value_exact: '9007199254740993' },
    { event_id: 'd-twice', value_num: 2.123456, value_exact: null },
  ])

  const many = Array.from({ length: 30 }, () => '{"event_type":"b","ts_device":12}').join('\n')
  const summary = await publish(['-'], many)
  assert.match(
    summary.stdout,
    /^30 stored, 0 duplicate, 0 rejected\nwarning +30 events are stored with changes/,
  )

  const typed = await publish([
    '--type',
    'c',
    '--value',
    '12345678901234567890',
    '--meta',
    '{"n":12345678901234567890}',
  ])
  assert.match(typed.stdout, /VALUE_ROUNDED/)
  assert.deepEqual(await query(`select value_exact, meta::text from events where event_type = 'c'`), [
    { value_exact: '12345678901234567890', meta: '{"n": 12345678901234567890}' },
  ])
})
