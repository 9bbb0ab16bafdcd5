import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestConsole } from '@qs-telemetry/testing/console.ts'
import { accessibilityFaults, browserMissing, openPage, startBrowser } from './support/browser.ts'
import { event } from './support/filled.ts'

/** Right-to-left marks, markup, quotes, and the maximum length of an id. */
const HOSTILE = ['\u202eevil\u200f', '<img src=x onerror=alert(1)>', `it's "quoted"`, 'x'.repeat(128)]

test('Explore finds devices by id, label and room and types by name, with the keyboard alone', {
  skip: browserMissing,
}, async (t) => {
  const browser = await startBrowser(t)
  const running = await startTestConsole(t)
  await running.publish('esp32-0042', event('esp32-0042', 'e-42', { value: 42 }))
  for (const [index, id] of HOSTILE.entries())
    await running.publish(
      id,
      event(id, `h-${index}`, { event_type: `type ${id.slice(0, 100)}`, value: index }),
    )
  // More than a list shows at once.
  await running.query(`insert into devices (device_id, first_seen, last_seen)
    select 'esp32-' || lpad(i::text, 4, '0'), now(), now() from generate_series(1, 3000) i on conflict do nothing`)
  await running.query(`update devices set label = 'Boiler', room = 'Cellar' where device_id = 'esp32-2999'`)
  await running.query(`update devices set room = 'Cellar' where device_id = 'esp32-0042'`)

  const page = await openPage(t, browser, `${running.url}/explore`)
  const devices = page.getByRole('combobox', { name: 'Devices' })
  const options = page.getByRole('listbox', { name: 'Devices' }).getByRole('option')
  const chips = page.getByRole('list', { name: 'Chosen devices' })
  await devices.focus()
  await options.nth(20).waitFor()
  await page.keyboard.type('boil')
  await options.filter({ hasText: 'esp32-2999 · Cellar' }).waitFor()
  await page.waitForFunction(
    () => document.querySelectorAll('[role=option]:not([aria-disabled])').length === 1,
  )
  assert.deepEqual(await accessibilityFaults(page), [])
  await page.keyboard.press('Enter')
  await chips.getByText('Boiler').waitFor()
  await page.waitForURL(/device=esp32-2999/)

  await page.keyboard.type('cellar')
  await options.filter({ hasText: 'room, 2 devices' }).waitFor()
  await page.keyboard.press('Enter')
  await chips.getByText('esp32-0042').waitFor()
  await page.keyboard.press('Backspace')
  await page.waitForURL((url) => url.searchParams.getAll('device').length === 1)

  for (const id of HOSTILE) {
    await devices.fill(id)
    await page.keyboard.press('Enter')
    await chips.getByText(id, { exact: true }).waitFor()
  }
  const types = page.getByRole('combobox', { name: 'Measurements' })
  await types.focus()
  await page.keyboard.type(HOSTILE[1] ?? '')
  await page.getByRole('listbox', { name: 'Measurements' }).getByRole('option', { name: 'img' }).waitFor()
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
  await page.getByText('1 event', { exact: false }).first().waitFor()
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
  assert.ok(overflow <= 0, `${overflow} pixels too wide`)

  const again = await openPage(t, browser, page.url())
  const kept = again.getByRole('list', { name: 'Chosen devices' })
  for (const name of ['Boiler', ...HOSTILE]) await kept.getByText(name, { exact: true }).waitFor()
  await again.getByRole('button', { name: 'Remove Boiler' }).click()
  await kept.getByText('Boiler').waitFor({ state: 'detached' })
  assert.ok(!again.url().includes('2999'))

  // Focus stays on the chips, and moves to the field after the last one.
  const focused = () =>
    again.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.id)
  for (const id of HOSTILE) {
    assert.equal(await focused(), `Remove ${id}`)
    await again.keyboard.press('Enter')
    await kept.getByText(id, { exact: true }).waitFor({ state: 'detached' })
  }
  const field = again.getByRole('combobox', { name: 'Devices' })
  assert.equal(await focused(), await field.getAttribute('id'))

  // A room with more devices than a chart shows.
  await running.query(
    `update devices set room = 'Hall' where device_id between 'esp32-1000' and 'esp32-1311'`,
  )
  await field.fill('hall')
  await again.getByRole('option', { name: 'Hall' }).first().click()
  await again.getByText('50 of 312 devices of Hall: the first by name.').waitFor()
  assert.equal(new URL(again.url()).searchParams.getAll('device').length, 50)
  assert.deepEqual(await accessibilityFaults(again), [])
  await again.getByRole('button', { name: 'Remove esp32-1000' }).click()
  await again.getByText('50 of 312').waitFor({ state: 'detached' })
  await field.fill('hall')
  await again.getByRole('option', { name: 'Hall' }).first().click()
  await again.getByRole('link', { name: 'all devices of Hall' }).click()
  await again.getByText('312 devices, 50 on this page').waitFor()
})
