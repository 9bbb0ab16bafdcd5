import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestConsole } from '@qs-telemetry/testing/console.ts'
import { browserMissing, openPage, startBrowser } from './support/browser.ts'
import { ago, event, fill, heading, openEvents } from './support/filled.ts'
import { pick } from './support/pick.ts'

test('the charts', { skip: browserMissing }, async (t) => {
  const browser = await startBrowser(t)
  const running = await startTestConsole(t)
  await fill(running)

  await t.test('explore: any lines, and the address restores the view', async (t) => {
    const page = await openPage(t, browser, `${running.url}/explore`)
    for (const [field, names] of [
      ['Devices', ['kitchen', 'attic']],
      ['Measurements', ['temp', 'humidity']],
    ] as const)
      for (const name of names) await pick(page, field, name)
    await page.getByText('240 events').waitFor()
    await page.getByLabel('Server time').check()
    await page.waitForURL(/axis=server/)
    const again = await openPage(t, browser, page.url())
    await again.getByText('240 events').waitFor()
    for (const [name, file] of [
      ['CSV', /\.csv$/],
      ['Parquet', /\.parquet$/],
    ] as const) {
      const download = page.waitForEvent('download')
      await page.getByRole('link', { name }).click()
      assert.match((await download).suggestedFilename(), file)
    }
  })

  await t.test('a range is chosen by date, in the display time zone', async (t) => {
    const page = await openPage(t, browser, `${running.url}/explore?device=attic&type=temp`)
    await page.getByLabel('Display time zone').selectOption('UTC')
    await page.getByText(/ to .*\(UTC\), live/).click()
    await page.getByLabel('From', { exact: true }).fill('2026-01-02T03:04')
    await page.getByLabel('to', { exact: true }).fill('2026-01-02T02:00')
    await page.getByRole('button', { name: 'Show' }).click()
    await page.getByText('The end must be after the start').waitFor()
    await page.getByLabel('Display time zone').selectOption('Europe/Berlin')
    await page.getByLabel('From', { exact: true }).fill('2026-07-02T03:04')
    await page.getByLabel('to', { exact: true }).fill('2026-07-02T04:00')
    await page.getByRole('button', { name: 'Show' }).click()
    await page.waitForURL(/from=2026-07-02T01%3A04%3A00.000Z&to=2026-07-02T02%3A00%3A00.000Z/)
    await page.getByText('No numbers in this time range').waitFor()
  })

  await t.test('a horizontal swipe pans the chart', async (t) => {
    const phone = { viewport: { width: 390, height: 844 }, hasTouch: true }
    const page = await openPage(t, browser, `${running.url}/devices/kitchen?range=1h`, phone)
    await page.getByRole('group', { name: /^temp of kitchen: temp, \d+ points/ }).waitFor()
    const over = page.locator('.u-over').nth(1)
    await over.scrollIntoViewIfNeeded()
    const box = await over.boundingBox()
    assert.ok(box)
    const hand = await page.context().newCDPSession(page)
    const at = (share: number) => [{ x: box.x + box.width * share, y: box.y + 40 }]
    await hand.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: at(0.3) })
    for (const share of [0.4, 0.6, 0.8])
      await hand.send('Input.dispatchTouchEvent', { type: 'touchMove', touchPoints: at(share) })
    await hand.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] })
    await page.waitForURL(/from=.*to=/)
    const to = new URL(page.url()).searchParams.get('to') ?? ''
    const minutes = (Date.now() - Date.parse(to)) / 60_000
    assert.ok(minutes > 28 && minutes < 32, `half an hour back, not ${minutes} minutes`)
  })

  await t.test('a device: charts that zoom and follow, a shared cursor, its events, its label', async (t) => {
    const page = await openPage(t, browser, `${running.url}/devices`)
    await page.getByPlaceholder('Search id, label or room').fill('kit')
    await page.getByText('1 device', { exact: true }).waitFor()
    await page.getByRole('link', { name: 'kitchen' }).click()
    await page.getByRole('button', { name: '1h' }).click()
    const chart = page.getByRole('group', { name: /^temp of kitchen: temp, 5\d points/ })
    await chart.waitFor()
    await page.getByText('power-on').first().waitFor()

    await running.publish(
      'kitchen',
      event('kitchen', 'fresh', { value: 33.25, unit: '°C', ts_device: ago(0) }),
    )
    await page.getByText('33.25 °C').first().waitFor()
    await page.getByRole('group', { name: /^temp of kitchen.*last 33\.25/ }).waitFor()

    const over = page.locator('.u-over').nth(1)
    await over.scrollIntoViewIfNeeded()
    const box = await over.boundingBox()
    assert.ok(box)
    // At the boot half an hour ago, both charts show their values and the text.
    const [boot] = await running.query(
      `select extract(epoch from ts)::float8 as s from events where event_id = 'boot-1'`,
    )
    const [from = ''] = (await page.locator('.plot').nth(1).getAttribute('data-drawn'))?.split('/') ?? []
    const share = (Number(boot?.s) - Date.parse(from) / 1000) / 3_600
    await page.mouse.move(box.x + box.width * share, box.y + 40)
    const readouts = page.locator('.readout')
    await readouts.nth(0).getByText(/%$/).waitFor()
    await readouts.nth(1).getByText(/°C$/).waitFor()
    await readouts.nth(0).getByText('boot: power-on').waitFor()

    await page.mouse.move(box.x + box.width * 0.25, box.y + 40)
    await page.mouse.down()
    await page.mouse.move(box.x + box.width * 0.5, box.y + 40, { steps: 5 })
    await page.mouse.up()
    await page.waitForURL(/from=.*to=/)
    const query = new URL(page.url()).searchParams
    const minutes = (Date.parse(query.get('to') ?? '') - Date.parse(query.get('from') ?? '')) / 60_000
    assert.ok(minutes > 13 && minutes < 17, `a quarter of an hour, not ${minutes} minutes`)
    await page.getByRole('group', { name: /^temp of kitchen: temp, 1\d points/ }).waitFor()
    await page.keyboard.down('Shift')
    await page.mouse.move(box.x + box.width * 0.2, box.y + 40)
    await page.mouse.down()
    await page.mouse.move(box.x + box.width * 0.7, box.y + 40, { steps: 5 })
    await page.mouse.up()
    await page.keyboard.up('Shift')
    await page.waitForURL((url) => url.searchParams.get('from') !== query.get('from'))
    const panned = new URL(page.url()).searchParams
    const moved = (Date.parse(query.get('from') ?? '') - Date.parse(panned.get('from') ?? '')) / 60_000
    assert.ok(Math.abs(moved - minutes / 2) < 1, `half of what is shown, not ${moved} minutes`)
    assert.equal(
      Date.parse(panned.get('to') ?? '') - Date.parse(panned.get('from') ?? ''),
      Date.parse(query.get('to') ?? '') - Date.parse(query.get('from') ?? ''),
    )
    await page.getByRole('group', { name: /^temp of kitchen: temp, \d+ points/ }).focus()
    await page.keyboard.press('0')
    await page.waitForURL(/kitchen$/)

    await openEvents(page)
    await page.getByRole('cell', { name: 'fresh', exact: true }).waitFor()
    await page.getByRole('button', { name: 'Edit' }).click()
    await page.getByLabel('Label', { exact: true }).fill('Kitchen, window')
    await page.getByRole('button', { name: 'Save' }).click()
    await heading(page, 'Kitchen, window')

    await page.getByRole('button', { name: 'Edit' }).click()
    await page.getByLabel('Silent after').selectOption({ label: '6 h' })
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('after 6 h, as set').waitFor()
    await page.getByRole('button', { name: 'Edit' }).click()
    await page.getByLabel('Silent after').selectOption({ label: 'Never' })
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('never', { exact: true }).waitFor()
  })
})
