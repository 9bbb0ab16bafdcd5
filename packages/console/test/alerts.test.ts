import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestConsole } from '@qs-telemetry/testing/console.ts'
import { addChannel } from '../../qs/src/alerts/channels.ts'
import { QueryPool } from '../../qs/src/database/query-pool.ts'
import { accessibilityFaults, browserMissing, openPage, startBrowser } from './support/browser.ts'

/** The device is silent indeed, since the rules are evaluated meanwhile. */
const SAID = `
insert into devices (device_id, first_seen, last_seen, silent_after)
values ('cellar', now() - interval '1 day', now() - interval '20 minutes', 180);
insert into alert_states (rule, device_id, event_type, state, since, fired_at, notified_at, message)
values ('silent-devices', 'cellar', '', 'firing', now() - interval '20 minutes', now() - interval '19 minutes', now(),
  'cellar is silent: nothing for 20 minutes, usually at least every 3 minutes');
insert into alert_history (at, rule, device_id, event_type, change, message)
values (now() - interval '19 minutes', 'freezer-in-the-cellar-is-too-warm', 'cellar', '', 'firing',
  'cellar is silent: nothing for 20 minutes');
update alert_channels set failing_since = now() - interval '3 minutes', error = 'HTTP 503: busy', attempts = 4,
  next_at = now() + interval '1 hour' where name = 'slack'`

test('the page of alerts shows what fires and broken channels, adds, edits, mutes and removes rules', {
  skip: browserMissing,
}, async (t) => {
  const browser = await startBrowser(t)
  const running = await startTestConsole(t)
  const pool = new QueryPool(running.databaseUrl, { name: 'test', connections: 1, timeoutMs: 10_000 })
  t.after(() => pool.end())
  const settings = { topic: 'my-secret-topic', server: 'http://127.0.0.1:1' }
  await addChannel(pool, {
    name: 'phone',
    kind: 'ntfy',
    settings,
    quiet: { from: '22:00', to: '07:00', zone: 'Europe/Berlin' },
  })
  await addChannel(pool, {
    name: 'slack',
    kind: 'webhook',
    settings: { url: 'http://127.0.0.1:1/services/s3cret' },
    quiet: null,
  })
  for (const statement of SAID.split(';\n')) await running.query(statement)
  const page = await openPage(t, browser, `${running.url}/alerts`)
  page.on('dialog', (dialog) => void dialog.accept())
  await page.getByText('usually at least every 3 minutes').waitFor()
  await page.getByText('HTTP 503: busy').waitFor()
  assert.doesNotMatch(await page.content(), /my-secret|s3cret/)
  assert.deepEqual(await accessibilityFaults(page), [])

  await page.getByRole('button', { name: 'Add a rule' }).click()
  await page.getByLabel('Name').fill('freezer')
  await page.getByLabel('Types').fill('temp')
  await page.getByLabel('Limit: above').fill('-15')
  await page.getByLabel('Ends when back by').fill('2')
  await page.getByLabel('phone').check()
  assert.deepEqual(await accessibilityFaults(page), [])
  if (process.env.PICTURES)
    await page.screenshot({ path: `${process.env.PICTURES}/form.png`, fullPage: true })
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByText('types temp, above -15, back by 2, for 10 minutes, to phone').waitFor()

  await page.getByRole('button', { name: 'Edit freezer' }).click()
  await page.getByLabel('Limit: above').fill('-10')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByText('types temp, above -10').waitFor()
  await page.getByRole('button', { name: 'Mute 2 h: freezer' }).click()
  await page.getByRole('button', { name: 'Unmute' }).waitFor()
  await page.getByRole('button', { name: 'Remove freezer' }).click()
  await page.getByText('above -10').waitFor({ state: 'detached' })
  // As on a phone: the message, which is the point, needs no scrolling sideways.
  await page.setViewportSize({ width: 390, height: 844 })
  const history = page.getByRole('region', { name: 'History of alerts' })
  assert.ok(await history.evaluate(({ scrollWidth, clientWidth }) => scrollWidth <= clientWidth))
  const rules = await running.query('select name from alert_rules')
  assert.equal(rules.length, 8)
  const actions = await running.query('select action from audit_log order by at')
  assert.deepEqual(
    actions.map(({ action }) => action),
    ['alert rule changed', 'alert rule changed', 'alert rule muted', 'alert rule removed'],
  )
  if (process.env.PICTURES === undefined) return
  for (const [name, options] of Object.entries({
    wide: { viewport: { width: 1280, height: 900 }, colorScheme: 'light' },
    dark: { viewport: { width: 1280, height: 900 }, colorScheme: 'dark' },
    phone: { viewport: { width: 390, height: 844 }, colorScheme: 'light' },
  } as const)) {
    const shot = await openPage(t, browser, `${running.url}/alerts`, options)
    await shot.getByText('HTTP 503: busy').waitFor()
    await shot.screenshot({ path: `${process.env.PICTURES}/${name}.png`, fullPage: true })
  }
})
