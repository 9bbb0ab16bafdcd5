import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestConsole } from '@qs-telemetry/testing/console.ts'
import { accessibilityFaults, browserMissing, openPage, startBrowser } from './support/browser.ts'

test('an empty system shows first steps; simulated devices can be started and deleted', {
  skip: browserMissing,
}, async (t) => {
  const browser = await startBrowser(t)
  const running = await startTestConsole(t)
  const page = await openPage(t, browser, `${running.url}/`)
  await page.getByText('No events yet').waitFor()
  assert.ok(await page.getByText('npx qs publish').isVisible())
  assert.deepEqual(await accessibilityFaults(page), [])
  page.on('dialog', (dialog) => dialog.accept())
  await page.getByRole('button', { name: 'Start simulated devices' }).click()
  await page.getByText('of 12').waitFor()
  await page.getByRole('button', { name: 'Delete devices and data' }).click()
  await page.getByText('No events yet').waitFor()
  assert.deepEqual(await running.query('select from events'), [])
})
