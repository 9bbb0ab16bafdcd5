import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestConsole } from '@qs-telemetry/testing/console.ts'
import { browserMissing, openPage, startBrowser } from './support/browser.ts'
import { fill, heading } from './support/filled.ts'
import { ground, walk } from './support/walk.ts'

/** Rules that depend on colours and width; all others give the same result in both walks. */
const LOOKS = ['color-contrast', 'link-in-text-block', 'scrollable-region-focusable', 'target-size']
const [LIGHT, DARK] = ['rgb(245, 247, 248)', 'rgb(14, 20, 24)']

test('the pages', { skip: browserMissing }, async (t) => {
  const browser = await startBrowser(t)
  const running = await startTestConsole(t)
  await fill(running)
  const home = `${running.url}/`

  await t.test('light and wide: content, no accessibility faults; choice of theme; keyboard', async (t) => {
    const page = await openPage(t, browser, home, { colorScheme: 'light' })
    await walk(page, running)
    assert.equal(await ground(page), LIGHT)

    await page.getByRole('button', { name: /theme\. Change/ }).click()
    await page.getByRole('button', { name: /^Light theme/ }).click()
    await page.getByRole('button', { name: /^Dark theme/ }).waitFor()
    await page.reload()
    assert.equal(await ground(page), DARK)
    await page.keyboard.press('Tab')
    assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Skip to content')
    await page.getByRole('link', { name: 'Devices', exact: true }).focus()
    await page.keyboard.press('Enter')
    await heading(page, 'Devices')
    assert.equal(await page.evaluate(() => document.activeElement?.id), 'main')
  })

  await t.test('dark and narrow like a phone: content, no accessibility faults', async (t) => {
    const viewport = { width: 390, height: 844 }
    const page = await openPage(t, browser, home, { colorScheme: 'dark', viewport })
    await walk(page, running, LOOKS)
    assert.equal(await ground(page), DARK)
  })

  await t.test('the API describes itself', async (t) => {
    const page = await openPage(t, browser, `${running.url}/api/docs`)
    await page.getByText('/api/session', { exact: true }).click()
    await page.getByRole('button', { name: 'Try it out' }).click()
    await page.getByRole('button', { name: 'Execute' }).click()
    await page.getByText('Server response').waitFor()
  })

  await t.test('the first load is small', async (t) => {
    const page = await openPage(t, browser, `${running.url}/icon.svg`)
    const network = await page.context().newCDPSession(page)
    await network.send('Network.enable')
    let bytes = 0
    network.on('Network.loadingFinished', ({ encodedDataLength }) => {
      bytes += encodedDataLength
    })
    await page.goto(home)
    await page.getByText('Newest dead letters').waitFor()
    assert.ok(bytes > 10_000 && bytes < 150_000, `${bytes} bytes`)
  })

  await t.test('a change of network, which ends all requests, costs a page a moment', async (t) => {
    const page = await openPage(t, browser, `${running.url}/icon.svg`)
    const ended = new Set<string>()
    await page.route(/\/assets\/devices-.*\.js$|\/api\/(session|system|devices)/, async (route) => {
      const { pathname } = new URL(route.request().url())
      if (ended.has(pathname)) return route.continue()
      ended.add(pathname)
      await route.abort('internetdisconnected')
    })
    await page.goto(`${running.url}/devices`)
    await page.getByRole('link', { name: 'kitchen', exact: true }).waitFor()
    assert.equal(ended.size, 4)
  })

  await t.test('on a slow network a page shows that it is loading', async (t) => {
    const page = await openPage(t, browser, home)
    let letThrough = () => {}
    const slow = new Promise<void>((resolve) => {
      letThrough = resolve
    })
    await page.route(/\/api\/(series|letters)/, async (route) => {
      await slow
      await route.continue()
    })
    await page.getByRole('link', { name: 'Dead letters', exact: true }).click()
    await page.getByRole('status').filter({ hasText: 'Loading' }).waitFor()
    await page.goto(`${running.url}/explore?device=attic&type=temp`)
    const chart = page.getByRole('group', { name: /^temp: / })
    await chart.getByText('Loading').waitFor()
    assert.equal(await chart.getAttribute('aria-busy'), 'true')
    letThrough()
    await page.getByRole('group', { name: /^temp: attic, 60 points/ }).waitFor()
    assert.equal(await chart.getAttribute('aria-busy'), 'false')
  })
})
