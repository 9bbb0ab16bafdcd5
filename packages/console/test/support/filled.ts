import type { RunningConsole } from '@qs-telemetry/testing/console.ts'
import type { Page } from 'playwright-core'

export function event(deviceId: string, id: string, fields: object) {
  return { schema: 1, event_id: id, device_id: deviceId, event_type: 'temp', ...fields }
}

export function ago(minutes: number): string {
  return new Date(Date.now() - minutes * 60_000).toISOString()
}

/** What the job has found of ids that these events do not have. */
const GAPS = `
insert into received_numbers select 'kitchen', '7', first, last, at, at, at
from (values (0, 9), (12, 20), (28, 40)) x(first, last), lateral (select now() - (60 - first) * interval '1 minute' as at) y;
select summarize_gaps('{kitchen}')`

/** Publishes an hour of events from two devices, one of them with a text and gaps, and two dead letters. */
export async function fill({ publish, query }: RunningConsole): Promise<void> {
  const hour = Array.from({ length: 60 }, (_, index) => 60 - index)
  for (const deviceId of ['kitchen', 'attic']) {
    await publish(
      deviceId,
      hour.flatMap((minutes) => [
        event(deviceId, `${deviceId}-t${minutes}`, {
          value: 20 + Math.sin(minutes / 9),
          unit: '°C',
          ts_device: ago(minutes),
        }),
        event(deviceId, `${deviceId}-h${minutes}`, {
          event_type: 'humidity',
          value: 50 + minutes / 10,
          unit: '%',
          ts_device: ago(minutes),
        }),
      ]),
    )
  }
  await publish(
    'kitchen',
    event('kitchen', 'boot-1', { event_type: 'boot', value: 'power-on', ts_device: ago(30) }),
  )
  await publish('kitchen', event('kitchen', 'broken-1', { value: { celsius: 21 } }))
  await publish('attic', '{"schema":1,')
  for (const sql of GAPS.split(';')) await query(sql)
}

/** Waits for a page by its title. */
export async function heading(page: Page, name: string): Promise<void> {
  await page.getByRole('heading', { level: 1, name }).waitFor()
}

/** Opens the stored events of a device by keyboard: the charts above still grow, so a click may miss. */
export async function openEvents(page: Page): Promise<void> {
  await page.locator('summary', { hasText: 'Stored events' }).press('Enter')
}
