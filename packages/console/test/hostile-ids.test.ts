import { test } from 'node:test'
import { startTestConsole } from '@qs-telemetry/testing/console.ts'
import { browserMissing, openPage, startBrowser } from './support/browser.ts'
import { event, heading, openEvents } from './support/filled.ts'

const IDS = ['.', '..', '~..', '__proto__', 'constructor', 'a%2Fb', 'who?me', 'two words']

test('the page of a device with a hostile id opens from the list, shows its value, and opens again by its URL', {
  skip: browserMissing,
}, async (t) => {
  const browser = await startBrowser(t)
  const running = await startTestConsole(t)
  for (const [index, id] of IDS.entries())
    await running.publish(id, [
      event(id, `e-${index}`, { event_type: id, value: 100 + index }),
      event(id, `text-${index}`, { event_type: 'toString', value: `said by ${index}` }),
    ])
  const page = await openPage(t, browser, `${running.url}/devices`)
  for (const [index, id] of IDS.entries()) {
    await page.getByRole('link', { name: id, exact: true }).click()
    await heading(page, id)
    await page.locator('.latest', { hasText: String(100 + index) }).waitFor()
    await openEvents(page)
    await page.getByRole('cell', { name: `e-${index}`, exact: true }).waitFor()
    await page.getByRole('button', { name: 'Edit' }).click()
    await page.getByLabel('Time zone, for').fill('Europe/Berlin')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('Europe/Berlin', { exact: true }).first().waitFor()
    await page.reload()
    await heading(page, id)
    await page.getByText('Europe/Berlin', { exact: true }).first().waitFor()
    await page.goto(`${running.url}/devices`)
    await heading(page, 'Devices')
  }
})
