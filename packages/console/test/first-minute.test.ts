import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestConsole } from '@qs-telemetry/testing/console.ts'
import { accessibilityFaults, browserMissing, openPage, pictures, startBrowser } from './support/browser.ts'

test('an empty system shows first steps; simulated devices can be started and deleted', {
  skip: browserMissing,
}, async (t) => {
  const browser = await startBrowser(t)
  const settings = { DEVICE_CLOCK_MAX_PAST: '30d', CONSOLE_MQTT_PASSWORD: 'of them all' }
  const running = await startTestConsole(t, { settings })
  const page = await openPage(t, browser, `${running.url}/`, { expected: /api\/settings/ })
  await page.getByText('No events yet').waitFor()
  assert.ok(await page.getByText('npx qs publish').isVisible())
  const question = page.getByRole('group', { name: 'Time zone of the boards' })
  await question.getByText('is read as local time in America/Los_Angeles').waitFor()
  assert.deepEqual(await accessibilityFaults(page), [])
  await pictures(page, 'first-steps')
  await question.getByRole('button', { name: 'Europe/Berlin' }).click()
  await question.waitFor({ state: 'detached' })
  page.on('dialog', (dialog) => dialog.accept())
  await page.getByRole('button', { name: 'Start simulated devices' }).click()
  await page.getByText('of 12').waitFor()
  await page.getByRole('button', { name: 'Delete devices and data' }).click()
  await page.getByText('No events yet').waitFor()
  assert.deepEqual(await running.query('select from events'), [])

  await page.getByRole('link', { name: 'Settings' }).click()
  const zone = page.getByRole('combobox', { name: /^DEVICE_TIMEZONE/ })
  await zone.waitFor()
  assert.equal(await zone.inputValue(), 'Europe/Berlin')
  await zone.fill('Mars')
  await page.getByRole('button', { name: 'Save DEVICE_TIMEZONE' }).click()
  await page.getByText('DEVICE_TIMEZONE must be').or(page.getByText('IANA')).first().waitFor()
  await page.getByRole('button', { name: 'Default: America/Los_Angeles' }).click()
  await page.getByText('DEVICE_TIMEZONE is the default again').waitFor()
  await page.getByRole('textbox', { name: /^DEVICE_CLOCK_MAX_FUTURE/ }).fill('2h')
  await page.getByRole('button', { name: 'Save DEVICE_CLOCK_MAX_FUTURE' }).click()
  await page.getByText('DEVICE_CLOCK_MAX_FUTURE is 2h').waitFor()
  assert.deepEqual(await running.query('select name, value from chosen_settings'), [
    { name: 'DEVICE_CLOCK_MAX_FUTURE', value: '2h' },
  ])
  // What the environment sets cannot be changed here, and no secret is shown.
  assert.equal(await page.getByRole('textbox', { name: /^DEVICE_CLOCK_MAX_PAST/ }).count(), 0)
  assert.doesNotMatch(await page.content(), /of them all/)
  await page.getByLabel('Search settings').fill('operator')
  await page.getByText('CONSOLE_OPERATOR_PASSWORD').first().waitFor()
  await page.getByText('SEAL_AFTER').waitFor({ state: 'detached' })
  await page.getByLabel('Search settings').fill('')
  await page.getByText('SEAL_AFTER').waitFor()
  assert.deepEqual(await accessibilityFaults(page), [])
  await pictures(page, 'settings')
})
