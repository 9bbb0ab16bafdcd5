/// <reference lib="dom" />
import assert from 'node:assert/strict'
import type { RunningConsole } from '@qs-telemetry/testing/console.ts'
import type { Page } from 'playwright-core'
import { accessibilityFaults } from './browser.ts'
import { heading } from './filled.ts'

/** Checks every page of a filled console: title, some content, width, accessibility. */
export async function walk(
  page: Page,
  { query }: RunningConsole,
  rules: readonly string[] = [],
): Promise<void> {
  const [letter] = await query('select max(dead_letter_id)::text as id from dead_letters')
  const pages: readonly (readonly [path: string, title: string, content: string])[] = [
    ['/', 'Overview', 'Newest dead letters'],
    ['/devices', 'Devices', 'attic'],
    ['/devices/kitchen', 'kitchen', '9 events in 2 gaps'],
    ['/explore?device=kitchen&device=attic&type=temp', 'Explore', '120 events'],
    ['/live', 'Live', 'Messages as they arrive'],
    ['/letters', 'Dead letters', 'value is an object'],
    [`/letters/${letter?.id}`, `Dead letter ${letter?.id}`, 'Problems'],
    ['/connect', 'Connect a device', 'Choose an id'],
    ['/provision', 'Connect many devices', 'One device a line'],
    ['/alerts', 'Alerts', 'silent-devices'],
    ['/storage', 'Storage', 'What uses the disk'],
    ['/settings', 'Settings', 'DEVICE_TIMEZONE'],
    ['/audit', 'Audit log', 'Nothing has been changed yet'],
  ]
  for (const [path, title, content] of pages) {
    // Like a link within the console: only what the page needs is loaded.
    await page.evaluate((url) => {
      history.pushState(null, '', url)
      dispatchEvent(new PopStateEvent('popstate'))
    }, path)
    await heading(page, title)
    await page.getByText(content).first().waitFor()
    assert.deepEqual(await accessibilityFaults(page, rules), [], path)
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
    assert.ok(overflow <= 0, `${path} is ${overflow} pixels too wide`)
    const settings = page.getByRole('region', { name: 'Settings of PostgreSQL' })
    if (path === '/storage')
      assert.ok(
        await settings.evaluate((each) => each.scrollWidth <= each.clientWidth),
        'its last column is cut',
      )
  }
}

export function ground(page: Page): Promise<string> {
  return page.evaluate(() => getComputedStyle(document.body).backgroundColor)
}
