import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestConsole } from '@qs-telemetry/testing/console.ts'
import { migratedDatabase } from '@qs-telemetry/testing/postgres.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import { withClient } from '../../qs/src/database/open-client.ts'
import { accessibilityFaults, browserMissing, openPage, pictures, startBrowser } from './support/browser.ts'
import { event, fill, heading } from './support/filled.ts'

test('working in the console', { skip: browserMissing }, async (t) => {
  const browser = await startBrowser(t)
  const databaseUrl = await migratedDatabase(t)
  const zones = `insert into devices (device_id, time_zone) values ('board', 'America/Los_Angeles')`
  await withClient(databaseUrl, (database) => database.query(zones))
  const running = await startTestConsole(t, { databaseUrl })

  await t.test('live: messages with their outcomes, pause and filter', async (t) => {
    const page = await openPage(t, browser, `${running.url}/live`)
    await page.getByRole('status').filter({ hasText: 'Live' }).waitFor()
    await running.publish('d', [event('d', 'one', { value: 1 }), event('d', 'two', { value: {} })])
    await page.getByText('INVALID_VALUE').waitFor()
    assert.equal(await page.getByText('stored', { exact: true }).count(), 1)
    await page.getByRole('button', { name: 'Pause' }).click()
    await running.publish('d', event('d', 'three', { value: 3 }))
    await page.getByText('1 not shown').waitFor()
    await page.getByRole('button', { name: 'Resume' }).click()
    await page.getByLabel('Only rejected').check()
    await page.getByText('No messages since').waitFor()
    await page.getByRole('status').filter({ hasText: 'Live' }).waitFor()
  })

  await t.test('a dead letter is repaired, replayed and stored', async (t) => {
    await fill(running)
    const page = await openPage(t, browser, `${running.url}/letters`)
    await page
      .getByRole('row', { name: /INVALID_VALUE/ })
      .getByRole('link')
      .first()
      .click()
    const payload = page.getByLabel('Payload')
    await payload.waitFor()
    await payload.fill(JSON.stringify(event('kitchen', 'broken-1', { value: 'x'.repeat(20_000) })))
    await page.getByText('FIELD_TOO_LONG').first().waitFor()
    await payload.fill(JSON.stringify(event('kitchen', 'broken-1', { value: 21 })))
    await page.getByText('No problems found').waitFor()
    await page.getByRole('button', { name: 'Save and replay' }).click()
    await page.getByText('Resolved: the event is stored').waitFor()
    const rows = () => running.query(`select value_num from events where event_id = 'broken-1'`)
    await until(async () => (await rows())[0]?.value_num === 21, 'the row')

    page.on('dialog', (dialog) => dialog.accept())
    await page.getByRole('link', { name: 'Dead letters' }).first().click()
    await page.getByLabel('Device', { exact: true }).fill('attic')
    await page.keyboard.press('Enter')
    await page.waitForURL(/device=attic/)
    await page.getByRole('row', { name: /INVALID_VALUE/ }).waitFor({ state: 'detached' })
    await page.getByLabel('Select all shown').check()
    await page.getByRole('button', { name: 'Replay 1' }).click()
    await page.getByText('1 wrong').waitFor()
    await page.getByLabel('Select all shown').check()
    await page.getByRole('button', { name: 'Delete 1' }).click()
    await page.getByText('1 dead letter deleted').waitFor()

    // More than a page of dead letters at once.
    const broken = Array.from({ length: 60 }, (_, n) => event('bulk', `bulk-${n}`, { value: {} }))
    await running.publish('bulk', broken)
    await page.goto(`${running.url}/letters?device=bulk`)
    await page.getByLabel('Select all shown').check()
    await page.getByLabel('Also select the matching letters').check()
    await page.getByRole('button', { name: 'Delete all' }).click()
    await page.getByText('60 dead letters deleted').waitFor()
    await page.goto(`${running.url}/audit`)
    await page.getByRole('cell', { name: 'Deleted dead letters' }).first().waitFor()
    assert.deepEqual(await accessibilityFaults(page), [])
  })

  await t.test('connect: code to paste, and a notice when the first event arrives', async (t) => {
    const page = await openPage(t, browser, `${running.url}/connect`)
    await page.getByLabel('Device id').fill('cellar')
    await page.getByRole('button', { name: 'Show settings' }).click()
    await page.getByText('const char DEVICE_ID[] = "cellar";').waitFor()
    await page.getByText('Waiting for a message on qs/v1/cellar/events').waitFor()
    await running.publish('cellar', event('cellar', 'first', { value: 12.5, unit: '°C' }))
    await page.getByText('Received.').waitFor()
    await page.getByRole('link', { name: 'Go to the device' }).click()
    await heading(page, 'cellar')
  })

  await t.test(
    'a device whose local times are whole hours off: its zone, and the command for its history',
    async (t) => {
      const [now] = await running.query(
        `select to_char(now() at time zone 'Europe/Berlin', 'YYYY-MM-DD"T"HH24:MI:SS') as berlin`,
      )
      await running.publish('board', event('board', 'b1', { value: 1, ts_device: now?.berlin }))
      const page = await openPage(t, browser, `${running.url}/devices/board`)
      const advice = page.getByRole('group', { name: 'Time zone of this device' })
      await advice.getByText('Its times are 9 hours ahead').waitFor()
      assert.equal(await advice.getByLabel('Zone of this device').inputValue(), 'Europe/Berlin')
      assert.deepEqual(await accessibilityFaults(page), [])
      await pictures(page, 'time-advice')
      await advice.getByRole('button', { name: 'Set its time zone' }).click()
      await page
        .getByRole('definition')
        .filter({ hasText: /^Europe\/Berlin$/ })
        .waitFor()
      await advice.getByText('qs device zone board Europe/Berlin --history').waitFor()
    },
  )
})

test('login: a wrong password, a read-only viewer, an operator who changes data and creates accounts', {
  skip: browserMissing,
}, async (t) => {
  const broker = { MQTT_USERNAME: 'boss', MQTT_PASSWORD: 'of them all' }
  const passwords = { CONSOLE_OPERATOR_PASSWORD: 'correct horse', CONSOLE_VIEWER_PASSWORD: 'only looking' }
  const browser = await startBrowser(t)
  const running = await startTestConsole(t, { settings: { ...passwords, ...broker } })
  await fill(running)
  const page = await openPage(t, browser, `${running.url}/letters`, { expected: /\/api\// })
  const login = async (name: string, password: string) => {
    await page.getByLabel('Account').selectOption(name)
    await page.getByLabel('Password').fill(password)
    await page.getByRole('button', { name: 'Log in' }).click()
  }
  await heading(page, 'Log in')
  assert.deepEqual(await accessibilityFaults(page), [])
  await login('operator', 'guess')
  await page.getByText('Wrong password').waitFor()
  await login('viewer', passwords.CONSOLE_VIEWER_PASSWORD)
  await heading(page, 'Dead letters')
  await page.getByText('value is an object').waitFor()
  assert.equal(await page.getByRole('button', { name: 'Replay' }).count(), 0)
  await page.getByRole('button', { name: 'Log out' }).click()
  await login('operator', passwords.CONSOLE_OPERATOR_PASSWORD)
  await page.getByRole('button', { name: 'Replay' }).waitFor()

  await page.getByRole('link', { name: 'Connect', exact: true }).click()
  await page.getByLabel('Device id').fill('shed')
  await page.getByRole('button', { name: 'Create account' }).click()
  await page.getByText(/const char MQTT_PASSWORD\[\] = "[0-9a-f]{32}";/).waitFor()

  await page.getByRole('link', { name: 'Connect many' }).click()
  await page.getByLabel('List of devices').fill('shed\nporch,Porch light,Garden\ngate,,Garden,Mars')
  await page.getByRole('button', { name: 'Create accounts' }).click()
  await page.getByText('line 3: "Mars" is not an IANA time zone').waitFor()
  await page.getByLabel('List of devices').fill('shed\nporch,Porch light,Garden\ngate,,Garden')
  await page.getByRole('button', { name: 'Create accounts' }).click()
  await page.getByText('With an account already, so not changed: shed').waitFor()
  await page.getByRole('img', { name: 'QR code of the login of gate' }).waitFor()
  const passwords32 = page.locator('.logins dd').filter({ hasText: /^[0-9a-f]{32}$/ })
  assert.equal(await passwords32.count(), 2)
  assert.deepEqual(await accessibilityFaults(page), [])
  await page.emulateMedia({ media: 'print' })
  assert.equal(await page.getByRole('button', { name: 'Print' }).isVisible(), false)
  assert.equal(await page.getByRole('link', { name: 'Overview' }).isVisible(), false)
  assert.equal(await page.getByRole('img', { name: 'QR code of the login of porch' }).isVisible(), true)
  await pictures(page, 'provision-print')
  await page.emulateMedia({ media: 'screen' })
  await pictures(page, 'provision')

  // A device: notes, a new password, the archive, and its end.
  page.on('dialog', (dialog) => dialog.accept())
  await page.getByRole('link', { name: 'Devices that were not seen yet' }).click()
  await page.getByRole('link', { name: 'Porch light' }).click()
  await page.getByRole('button', { name: 'Edit' }).click()
  await page.getByLabel('Notes').fill('two AA cells\nsince November')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByText('two AA cells').waitFor()
  await page.getByRole('button', { name: 'Edit' }).click()
  await page.getByRole('button', { name: 'New password' }).click()
  await page.getByRole('img', { name: 'QR code of the login of porch' }).waitFor()
  await page.getByRole('button', { name: 'Archive', exact: true }).click()
  await page.getByText('In the archive').waitFor()
  await page.getByRole('button', { name: 'Delete …' }).click()
  assert.deepEqual(await accessibilityFaults(page), [])
  await pictures(page, 'device-actions')
  const remove = page.getByRole('button', { name: 'Delete device and data' })
  await page.getByLabel('Type its id to confirm').fill('porc')
  assert.equal(await remove.isDisabled(), true)
  await page.getByLabel('Type its id to confirm').fill('porch')
  await remove.click()
  await heading(page, 'Devices')
  await page.getByRole('link', { name: 'gate' }).waitFor()
  assert.deepEqual(await running.query(`select from devices where device_id = 'porch'`), [])
})
