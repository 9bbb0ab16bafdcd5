/**
 * A device is silent when it is quiet for three times its own rhythm, and a minute at least: device rows are up to ten
 * seconds old. Its rhythm is that of its fastest series.
 */
export const SILENT_AFTER = { beats: 3, seconds: 60 } as const

/** Series of one device that a list looks at; as many as a device may have by default. */
export const MAX_SERIES = 1_000

/** The rhythm of a device as `rhythm.seconds`, null where it has none; beside a row `d` of `devices`. */
export const RHYTHM = `lateral (
  select count(*)::int as types, min(every_seconds) filter (where every_seconds > 0) as seconds
  from (select every_seconds from series s where s.device_id = d.device_id limit ${MAX_SERIES}) looked_at
) as rhythm`
