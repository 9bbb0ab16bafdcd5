import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestConsole } from '@qs-telemetry/testing/console.ts'
import { accessibilityFaults, browserMissing, openPage, startBrowser } from './support/browser.ts'
import { event, openEvents } from './support/filled.ts'

test('an event that is stored differently from what was sent is marked in Live and on the page of its device', {
  skip: browserMissing,
}, async (t) => {
  const browser = await startBrowser(t)
  const running = await startTestConsole(t)
  const live = await openPage(t, browser, `${running.url}/live`)
  await live.getByRole('status').filter({ hasText: 'Live' }).waitFor()
  await running.publish('dev-1', event('dev-1', 'dev-1-1970', { value: 4, ts_device: 12 }))
  await running.publish('dev-1', event('dev-1', 'dev-1-age', { value: 5, ts_device: 12, age_ms: 60_000.123 }))
  await running.publish(
    'dev-1',
    '{"schema":1,"event_id":"dev-1-rounded","device_id":"dev-1","event_type":"temp","value":9007199254740993}',
  )
  await running.publish(
    'dev-1',
    '{"schema":1,"event_id":"dev-1-twice","device_id":"dev-1","event_type":"temp","value":1,"value":2.123456}',
  )
  for (const said of [
    'Charts use the server time: ts_device is',
    'Charts use the server time less age_ms: ts_device is',
    'Stored as 9007199254740992, the nearest double',
    'Stored with the last value of "value"',
  ])
    await live.getByText(said).first().waitFor()
  assert.equal(await live.getByText('TS_DEVICE_IMPLAUSIBLE').count(), 2)

  const page = await openPage(t, browser, `${running.url}/devices/dev-1`)
  await openEvents(page)
  const row = (id: string) =>
    page.getByRole('row').filter({ has: page.getByRole('cell', { name: id, exact: true }) })
  await row('dev-1-1970').getByText('not plausible: charts use the server time', { exact: true }).waitFor()
  await row('dev-1-age').getByText('not plausible: charts use the server time minus its age').waitFor()
  await row('dev-1-rounded').getByText('sent as 9007199254740993').waitFor()
  assert.equal(await row('dev-1-twice').getByText('sent as').count(), 0)
  for (const each of [live, page]) assert.deepEqual(await accessibilityFaults(each), [])
})
