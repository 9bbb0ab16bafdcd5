import assert from 'node:assert/strict'
import { test } from 'node:test'
import { configOf } from '@qs-telemetry/testing/pipeline.ts'
import { silentLog } from '@qs-telemetry/testing/silent-log.ts'
import { ChosenSettings } from '../../src/database/chosen-settings.ts'
import { decodeOptions } from '../../src/decode/decode-options.ts'

test('a choice holds for decoding where neither the environment nor a file sets it, and a wrong one is not taken', async (t) => {
  const config = configOf({ DEVICE_CLOCK_MAX_PAST: '30d' })
  const rows = [
    { name: 'DEVICE_TIMEZONE', value: 'Europe/Berlin' },
    { name: 'DEVICE_CLOCK_MAX_PAST', value: '10d' },
    { name: 'DEVICE_CLOCK_MAX_FUTURE', value: 'soon' },
    { name: 'LOG_LEVEL', value: 'debug' },
  ]
  const { log, records } = silentLog()
  const chosen = new ChosenSettings(config, async () => rows, log)
  const options = decodeOptions(config, (id) => (id === 'own' ? 'Asia/Tokyo' : undefined), chosen)
  assert.equal(options.timeZoneOf('d'), 'America/Los_Angeles')
  await chosen.start()
  t.after(() => chosen.stop())
  assert.deepEqual([options.timeZoneOf('d'), options.timeZoneOf('own')], ['Europe/Berlin', 'Asia/Tokyo'])
  assert.deepEqual(
    [options.clockTrust.maxPastMs, options.clockTrust.maxFutureMs],
    [30 * 86_400_000, 3_600_000],
  )
  assert.equal(records.length, 1)
})
