import type { Ask } from '../../database/query-pool.ts'
import type { SeriesName } from '../../devices/series.ts'

export interface SeriesChoice {
  /** null: all devices. */
  readonly devices: readonly string[] | null
  /** null: all types. */
  readonly types: readonly string[] | null
}

const PAGE = 1_000

const SQL = `
select device_id as "deviceId", event_type as "eventType" from series
where ($1::text[] is null or device_id = any($1)) and ($2::text[] is null or event_type = any($2))
  and (device_id, event_type) > ($3::text collate "C", $4::text collate "C")
order by device_id, event_type limit ${PAGE}`

/** The chosen series in key order, read in pages: a fleet has a hundred thousand. */
export async function* chosenSeries(ask: Ask, { devices, types }: SeriesChoice): AsyncGenerator<SeriesName> {
  for (let last: SeriesName = { deviceId: '', eventType: '' }; ; ) {
    const values = [devices, types, last.deviceId, last.eventType]
    const page: readonly SeriesName[] = await ask.query(SQL, values)
    yield* page
    if (page.length < PAGE) return
    last = page.at(-1) as SeriesName
  }
}
