/// <reference lib="dom" />
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestConsole } from '@qs-telemetry/testing/console.ts'
import { fillFleet } from '@qs-telemetry/testing/fleet.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import { accessibilityFaults, browserMissing, openPage, startBrowser } from './support/browser.ts'
import { event, heading } from './support/filled.ts'

const DEVICES = 20_000
/** Right-to-left marks, markup, quotes, and the maximum length of an id; first by name. */
const HOSTILE = [
  '!\u202eevil\u200f',
  '!<img src=x onerror=alert(1)>',
  `!it's "quoted"`,
  `!${'x'.repeat(127)}`,
]
const phone = { viewport: { width: 390, height: 844 } }

const ofHeads = (heads: readonly Element[]) =>
  heads.map((head) => `${head.textContent?.trim()} ${head.getAttribute('aria-sort')}`)

test('20,000 devices and hostile ids in the lists', { skip: browserMissing }, async (t) => {
  const browser = await startBrowser(t)
  const running = await startTestConsole(t)
  await fillFleet(
    {
      query: async <Row>(text: string, values?: readonly unknown[]) =>
        (await running.query(text, values)) as readonly Row[],
    },
    DEVICES,
  )
  for (const [index, id] of HOSTILE.entries())
    await running.publish(id, [
      event(id, `n-${index}`, { event_type: `type ${id.slice(0, 100)}`, value: index }),
      event(id, `t-${index}`, { event_type: 'door', value: 'open'.repeat(50) }),
    ])

  await t.test('Devices: search, sort, filter, rooms and pages find every device', async (t) => {
    const page = await openPage(t, browser, `${running.url}/devices`)
    const first = page.locator('tbody a b').first()
    await page
      .getByText(`${(DEVICES + HOSTILE.length).toLocaleString('en-GB')} devices, 50 on this page`)
      .waitFor()
    assert.deepEqual(await accessibilityFaults(page), [])
    await page.getByRole('button', { name: 'Next page' }).click()
    await page.getByRole('link', { name: 'esp32-00048', exact: true }).waitFor()
    await page.getByRole('button', { name: 'First page' }).click()
    await page.getByRole('link', { name: HOSTILE[3] ?? '', exact: true }).waitFor()

    await page.getByLabel('Search devices').fill('19999')
    await page.getByText('1 device', { exact: true }).waitFor()
    assert.equal(await first.textContent(), 'esp32-19999')
    await page.getByLabel('Search devices').fill('')
    await page.getByRole('combobox', { name: 'Status' }).selectOption('silent')
    await page.getByText('200 devices').waitFor()
    await page.getByRole('combobox', { name: 'Clock' }).selectOption('good')
    await page.getByText('No device matches.').waitFor()
    await page.getByRole('link', { name: 'Show all devices' }).click()
    const untilSorted = (by: string) =>
      until(async () => {
        const heads = await page.locator('th[aria-sort]').evaluateAll(ofHeads)
        return heads.length === 1 && heads[0] === by
      }, `the list is sorted by ${by}`)
    await untilSorted('Device ↑ ascending')
    for (const head of ['Last seen ↓ descending', 'Last seen ↑ ascending', 'Last seen ↓ descending']) {
      await page.getByRole('button', { name: 'Last seen' }).click()
      await untilSorted(head)
    }
    await page.getByRole('button', { name: 'Clock' }).click()
    await untilSorted('Clock ↓ descending')
    await page.getByRole('link', { name: 'esp32-20000', exact: true }).waitFor()
    assert.equal(await first.textContent(), 'esp32-20000', 'the clock that is furthest off')
    await page.getByLabel('Sort by').selectOption('Room')
    await page.getByRole('columnheader', { name: 'Room 0', exact: true }).waitFor()
    await page.getByLabel('Compact').check()
    await page.getByText('100 on this page').waitFor()
    const again = await openPage(t, browser, page.url())
    await again.getByRole('columnheader', { name: 'Room 1', exact: true }).waitFor()
  })

  await t.test(
    'Devices: a word is searched once, and a late answer to an earlier search is ignored',
    async (t) => {
      const page = await openPage(t, browser, `${running.url}/devices?range=1h`)
      await page.getByText('50 on this page').waitFor()
      const asked: string[] = []
      let letThrough = () => {}
      const slow = new Promise<void>((resolve) => {
        letThrough = resolve
      })
      await page.route(/\/api\/devices\?search=/, async (route) => {
        const search = new URL(route.request().url()).searchParams.get('search') ?? ''
        asked.push(search)
        if (search === '00042') await slow
        await route.continue().catch(() => {})
      })
      // Typed without a pause, with time for the page to react to each letter.
      const type = (word: string) =>
        page.getByLabel('Search devices').evaluate(async (field: HTMLInputElement, text) => {
          for (let length = 1; length <= text.length; length++) {
            field.value = text.slice(0, length)
            field.dispatchEvent(new Event('input', { bubbles: true }))
            for (let turn = 0; turn < 20; turn++) await Promise.resolve()
          }
        }, word)
      await type('00042')
      await until(async () => asked.length > 0, 'the first question')
      assert.deepEqual(asked, ['00042'])
      await type('19999')
      await page.getByRole('link', { name: 'esp32-19999', exact: true }).waitFor()
      assert.equal(new Set(asked).size, 2)
      letThrough()
      await page.getByText('1 device', { exact: true }).waitFor()
      assert.equal(await page.getByRole('link', { name: 'esp32-00042', exact: true }).count(), 0)
      assert.match(page.url(), /search=19999/)
    },
  )

  await t.test(
    'Overview: a pinned reading is shown first, for every user, and can be unpinned',
    async (t) => {
      const page = await openPage(t, browser, `${running.url}/`, phone)
      const pinned = page.getByRole('region', { name: 'Pinned' })
      for (const id of HOSTILE)
        await page
          .getByRole('button', { name: `Pin door of ${id}`, exact: true })
          .first()
          .click()
      await pinned
        .getByRole('listitem')
        .nth(HOSTILE.length - 1)
        .waitFor()
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
      assert.ok(overflow <= 0, `${overflow} pixels too wide`)
      assert.deepEqual(await accessibilityFaults(page), [])
      const other = await openPage(t, browser, `${running.url}/`)
      await other.getByRole('region', { name: 'Pinned' }).getByText('openopen').first().waitFor()
      for (const id of HOSTILE)
        await pinned.getByRole('button', { name: `Pin door of ${id}`, exact: true }).click()
      await pinned.waitFor({ state: 'detached' })
      await page.goto(`${running.url}/audit`)
      await heading(page, 'Audit log')
      await page.getByRole('cell', { name: 'Unpinned a reading' }).first().waitFor()
      await page
        .getByRole('link', { name: HOSTILE[1] ?? '', exact: true })
        .first()
        .click()
      await heading(page, HOSTILE[1] ?? '')
    },
  )
})
