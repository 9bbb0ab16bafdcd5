import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestConsole } from '@qs-telemetry/testing/console.ts'
import { accessibilityFaults, browserMissing, openPage, startBrowser } from './support/browser.ts'

test('one patch repairs the selected dead letters, after a preview that changes nothing', {
  skip: browserMissing,
}, async (t) => {
  const browser = await startBrowser(t)
  const running = await startTestConsole(t)
  for (const n of [1, 2, 3])
    await running.publish(`b${n}`, { event_id: `b${n}-1`, device_id: `b${n}`, event_type: 'temp', value: n })
  const page = await openPage(t, browser, `${running.url}/letters`)
  await page.getByLabel('Select all shown').check()
  await page.getByText('Repair many').click()
  await page.getByRole('button', { name: 'Preview 3' }).click()
  await page.getByText('3 ready to replay, 0 still invalid; 3 would be changed').waitFor()
  assert.deepEqual(await running.query('select from dead_letter_history'), [])
  await page.getByLabel('Fields to change').fill('{"schema":7}')
  await page.getByRole('button', { name: 'Preview 3' }).click()
  await page.getByText('UNSUPPORTED_SCHEMA').first().waitFor()
  assert.deepEqual(await accessibilityFaults(page), [])
  await page.getByLabel('Fields to change').fill('{"schema":1}')
  let asked = ''
  page.once('dialog', (dialog) => {
    asked = dialog.message()
    return dialog.dismiss()
  })
  await page.getByRole('button', { name: 'Repair 3' }).click()
  assert.equal(asked, 'Change fields of 3 dead letters?')
  assert.deepEqual(await running.query('select from dead_letter_history'), [])
  page.once('dialog', (dialog) => dialog.accept())
  await page.getByRole('button', { name: 'Repair 3' }).click()
  await page.getByText('3 ready to replay, 0 still invalid; 3 changed').waitFor()
  await page.getByRole('button', { name: 'Replay 3' }).click()
  await page.getByText('3 stored').waitFor()
  assert.equal((await running.query('select from events')).length, 3)
})
