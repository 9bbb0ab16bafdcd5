import type { ClockJump } from '../alarms/clock-alarm.ts'
import { momentText } from '../database/moment-text.ts'
import type { Ask } from '../database/query-pool.ts'

/** A machine that is off over a weekend is nothing to speak of. */
const LEAST_DAYS = 3

const SQL = `
select days, ${momentText('clock')} as "judgedAt"
from sealing, lateral (select extract(epoch from clock_jump())::float8 / 86400 as days) j
where days > ${LEAST_DAYS}`

/** The jump of the clock for which sealing and deletion wait; null: none. */
export async function clockJump(ask: Ask): Promise<ClockJump | null> {
  const [jump] = await ask.query<ClockJump>(SQL)
  return jump ?? null
}
