/// <reference lib="dom" />
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestConsole } from '@qs-telemetry/testing/console.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import { momentIn } from '../src/time/format.ts'
import { assertAligned } from './support/assert-aligned.ts'
import { accessibilityFaults, browserMissing, openPage, startBrowser } from './support/browser.ts'
import { ago, event } from './support/filled.ts'
import { FIRST_COLOUR, inkedColumns } from './support/inked-columns.ts'

/** A whole second in the past. */
const BEGIN_MS = Math.floor(Date.now() / 1000) * 1000 - 86_400_000
const LONG = `greenhouse-${'x'.repeat(110)}-0001`

test('units, states and many lines', { skip: browserMissing }, async (t) => {
  const browser = await startBrowser(t)
  const running = await startTestConsole(t)
  const minutes = Array.from({ length: 50 }, (_, n) => 55 - n)
  await running.publish('kitchen', [
    ...minutes.map((at) =>
      event('kitchen', `t${at}`, {
        value: at > 25 ? 20 : 68,
        unit: at > 25 ? '°C' : '°F',
        ts_device: ago(at),
      }),
    ),
    ...minutes.flatMap((at) => [
      event('kitchen', `h${at}`, { event_type: 'humidity', value: at, unit: '%', ts_device: ago(at) }),
      event('kitchen', `p${at}`, { event_type: 'pressure', value: 1013, unit: 'hPa', ts_device: ago(at) }),
    ]),
    ...[90, 40, 30, 20].map((at, n) =>
      event('kitchen', `d${at}`, {
        event_type: 'door',
        value: n % 2 ? 'open' : 'closed',
        ts_device: ago(at),
      }),
    ),
    ...[50, 45, 10].map((at, n) =>
      event('kitchen', `m${at}`, { event_type: 'motion', value: n % 2 === 0, ts_device: ago(at) }),
    ),
    event('kitchen', 'boot', { event_type: 'boot', value: 'power-on', ts_device: ago(35) }),
  ])
  await running.publish(LONG, event(LONG, 'long', { value: 21, unit: '°C', ts_device: ago(20) }))

  await t.test(
    'a device: a change of unit is reported, states are bars, clock drift has a fitting unit',
    async (t) => {
      const page = await openPage(t, browser, `${running.url}/devices/kitchen?range=1h`, {
        colorScheme: 'light',
      })
      await page.getByText(/^kitchen · temp was in °C until .*, then in °F$/).waitFor()
      await page
        .getByRole('group', { name: /^temp of kitchen: temp \(°C\), 30 points.*; temp \(°F\), 20 points/ })
        .waitFor()
      // The door was closed before the range. Its texts are states and not marks; the boot is a mark.
      await page
        .getByRole('group', {
          name: /^States of kitchen: door, 4 states, last open; motion, 3 states, last 1/,
        })
        .waitFor()
      assert.equal(
        await page.getByText('motion', { exact: true }).count(),
        0,
        'a switch has no chart of numbers',
      )
      await page.locator('.notes').getByText('power-on').waitFor()
      assert.equal(await page.locator('.notes').getByText('open').count(), 0)
      await page
        .getByRole('group', { name: /^Clock drift of kitchen: offset, .* from −\d+ min to/ })
        .waitFor()
      assert.deepEqual(await accessibilityFaults(page), [])
    },
  )

  await t.test(
    'explore: three units have three axes, four have a chart each, and states are bars',
    async (t) => {
      const page = await openPage(
        t,
        browser,
        `${running.url}/explore?range=1h&device=kitchen&type=humidity&type=pressure`,
      )
      await page.getByText('100 events').waitFor()
      assert.equal(await page.locator('.u-axis').count(), 3, 'time and two units')
      await page.goto(`${running.url}/explore?range=1h&device=kitchen&type=humidity&type=temp`)
      await page.getByText('100 events').waitFor()
      assert.equal(await page.locator('.u-axis').count(), 4, 'time and three units')
      const all = ['temp', 'humidity', 'pressure', 'door', 'motion'].map((type) => `type=${type}`).join('&')
      await page.goto(`${running.url}/explore?range=1h&device=kitchen&${all}`)
      await page
        .getByRole('group', {
          name: /^States of .*: kitchen · door, 4 states, last open; kitchen · motion, 3 states, last 1/,
        })
        .waitFor()
      assert.equal(await page.locator('figure.chart').count(), 5, 'four units, and the states')
      await assertAligned(page)
      const two = ['temp', 'humidity', 'door'].map((type) => `type=${type}`).join('&')
      await page.goto(`${running.url}/explore?range=1h&device=kitchen&${two}`)
      await page.getByRole('group', { name: /^States of .*: kitchen · door/ }).waitFor()
      assert.equal(await page.locator('figure.chart').count(), 2, 'three axes, and the states')
      await assertAligned(page)
      assert.deepEqual(await accessibilityFaults(page), [])
    },
  )

  await t.test(
    'under the cursor each line shows its nearest point, with its time where that differs',
    async (t) => {
      const at = (minutes: number, seconds: number) => new Date(BEGIN_MS + (minutes * 60 + seconds) * 1000)
      for (const [index, id] of ['even', 'odd'].entries())
        await running.publish(
          id,
          [0, 2, 4, 6, 8, 10].map((minutes) =>
            event(id, `${id}-${minutes}`, {
              value: minutes + index,
              unit: 'V',
              ts_device: at(minutes, index * 20).toISOString(),
            }),
          ),
        )
      const range = `from=${at(0, 0).toISOString()}&to=${at(12, 0).toISOString()}`
      const page = await openPage(
        t,
        browser,
        `${running.url}/explore?${range}&device=even&device=odd&type=temp`,
      )
      await page.getByRole('group', { name: /^temp: even, 6 points.*; odd, 6 points/ }).waitFor()
      const lines = page.getByRole('list', { name: 'Lines of this chart' }).getByRole('listitem')
      const over = page.locator('.u-over').first()
      await over.scrollIntoViewIfNeeded()
      const shown = (seconds: number) => momentIn('Europe/Berlin', at(4, seconds)).slice(-8)
      // The page may still move the chart, for which a mouse that rests has no effect.
      await until(async () => {
        const box = await over.boundingBox()
        if (box === null) return false
        await page.mouse.move(box.x + (box.width * 4) / 12, box.y + 40)
        return lines.nth(0).getByText(/^4 V$/).isVisible()
      }, 'the readout follows the mouse')
      await lines.nth(1).getByText('5 V').waitFor()
      await lines.nth(1).getByText(shown(20), { exact: true }).waitFor()
      assert.equal(await lines.nth(0).getByText(/:/).count(), 0, 'the time of the readout is its own')
      await page.locator('.at-cursor').getByText(shown(0)).waitFor()
    },
  )

  await t.test('states of any number of series are one request, on the chosen axis', async (t) => {
    const types = ['gate', 'hatch', 'valve', 'lamp']
    // Batches that arrived late: by server time all events are recent.
    for (const type of types)
      await running.publish(
        'barn',
        [300, 200, 100].map((at, n) =>
          event('barn', `${type}-${at}`, {
            event_type: type,
            value: type === 'lamp' ? n % 2 : n % 2 ? 'open' : 'closed',
            ts_device: ago(at),
          }),
        ),
      )
    const page = await openPage(t, browser, `${running.url}/live`)
    const asked: string[] = []
    page.on('request', (request) => asked.push(request.url()))
    const view = `range=1h&device=barn&${types.map((type) => `type=${type}`).join('&')}`
    await page.goto(`${running.url}/explore?${view}`)
    const each = (states: number) =>
      page.getByRole('group', {
        name: new RegExp(
          `^States of .*${types
            .map((type) => `barn · ${type}, ${states} state${states === 1 ? '' : 's'}`)
            .toSorted()
            .join('.*')}`,
        ),
      })
    await each(1).waitFor()
    assert.equal(asked.filter((url) => url.includes('/api/events')).length, 0)
    assert.equal(asked.filter((url) => url.includes('/api/states')).length, 1)
    await page.goto(`${running.url}/explore?${view}&axis=server`)
    await page.getByText('3 events').waitFor()
    // Three changes in one message have the same server time, and the last one wins.
    await page.getByRole('group', { name: /^States of .*barn · gate, 1 state, last closed/ }).waitFor()
    await page.goto(
      `${running.url}/explore?from=${ago(240)}&to=${ago(60)}&${view.replace('range=1h&', '')}&axis=server`,
    )
    await page.getByText('0 events').waitFor()
    await page.waitForFunction(() => document.querySelectorAll('figure.chart').length === 1)
    await page.getByRole('link', { name: 'Devices', exact: true }).waitFor()
    assert.equal(await page.getByText(/^barn · gate/).count(), 0)
  })

  await t.test('a label that arrives after the numbers is shown when it arrives', async (t) => {
    await running.query(`update devices set label = 'Cooker' where device_id = 'kitchen'`)
    const page = await openPage(t, browser, `${running.url}/live`)
    let letThrough = () => {}
    const slow = new Promise<void>((resolve) => {
      letThrough = resolve
    })
    await page.route(/\/api\/devices\?/, async (route) => {
      await slow
      await route.continue()
    })
    // A fixed range: no request is repeated.
    await page.goto(`${running.url}/explore?from=${ago(60)}&to=${ago(0)}&device=kitchen&type=humidity`)
    await page.getByRole('group', { name: /^humidity: kitchen, 50 points/ }).waitFor()
    letThrough()
    await page.getByRole('group', { name: /^humidity: Cooker, 50 points/ }).waitFor()
    await running.query(`update devices set label = null where device_id = 'kitchen'`)
  })

  await t.test(
    'the legend switches lines, also with the keyboard, and shows the label of a device',
    async (t) => {
      await running.api(`/api/devices/${LONG}`, {
        method: 'PATCH',
        body: JSON.stringify({ label: 'Tomatoes' }),
        headers: { 'content-type': 'application/json', origin: running.url },
      })
      const path = `/explore?range=1h&device=kitchen&device=${LONG}&type=temp&type=humidity`
      const page = await openPage(t, browser, `${running.url}${path}`, { colorScheme: 'light' })
      const tomatoes = page.getByRole('button', { name: 'Tomatoes temp' })
      await tomatoes.waitFor()
      const first = page.getByRole('list', { name: 'Lines of this chart' }).getByRole('button').first()
      assert.equal(await first.getAttribute('aria-pressed'), 'true')
      assert.equal(await first.textContent(), await tomatoes.textContent())
      // The labelled device has a single point.
      const isDrawn = async () => (await inkedColumns(page, FIRST_COLOUR, 0.1)).includes(true)
      await until(isDrawn, 'the first line is drawn')
      await first.focus()
      await page.keyboard.press('Space')
      assert.equal(await first.getAttribute('aria-pressed'), 'false')
      await until(async () => !(await isDrawn()), 'it is no longer drawn')
      await page.getByRole('button', { name: 'All off' }).click()
      await page.getByText('All lines are switched off').waitFor()
      await page.getByRole('button', { name: 'All on' }).click()
      assert.equal(await tomatoes.getAttribute('aria-pressed'), 'true')
      await until(isDrawn, 'it is back, in its colour')
    },
  )
})
