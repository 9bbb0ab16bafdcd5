import { contentOf, type Sent } from '../checker.ts'

/** An event as a device sends it. */
export interface Item extends Sent {
  /** The id that its device ack will name. */
  readonly eventId: string
  readonly fields: Fields
}

/** The members in written order. */
export interface Fields {
  readonly schema: 1
  readonly event_id: string
  readonly device_id: string
  readonly event_type: string
  readonly value?: number | string | null
  readonly unit?: string
  readonly ts_device?: string | number
  readonly meta?: Readonly<Record<string, unknown>>
}

/** The nth event of a device. */
export type MakeItem = (deviceId: string, n: number) => Item

/** Doubles that careless code would round, and texts that it would change. */
const VALUES = [
  0.1,
  1 / 3,
  -273.15,
  5e-324,
  Number.MAX_VALUE,
  Number.MAX_SAFE_INTEGER,
  1e21,
  'open',
  'Ünïcode 💧',
  '',
  null,
] as const

/** A good event, which must be stored unchanged. */
export const goodItem: MakeItem = (deviceId, n) => {
  const value = n % 3 === 0 ? VALUES[(n / 3) % VALUES.length] : n / 8
  const second = String(n % 60).padStart(2, '0')
  const tsDevice = `2026-01-15T12:00:${second}.${String(n % 1_000_000).padStart(6, '0')}Z`
  return item(deviceId, n, {
    event_type: 'temp',
    ...(value !== undefined && { value }),
    ...(n % 4 === 0 && { unit: '°C' }),
    ...(n % 5 === 0 && { ts_device: tsDevice }),
    ...(n % 7 === 0 && { meta: { b: [n, { c: null }], a: 'x' } }),
  })
}

/** An event that the case's own database constraint refuses. */
export const poisonItem: MakeItem = (deviceId, n) => item(deviceId, n, { event_type: 'poison' }, 'rejected')

/** An event with these members. */
export function item(
  deviceId: string,
  n: number,
  members: Partial<Fields> & Pick<Fields, 'event_type'>,
  fate: Sent['fate'] = 'stored',
): Item {
  const eventId = `${deviceId}-${n}`
  const fields: Fields = { schema: 1, event_id: eventId, device_id: deviceId, ...members }
  const { value = null, unit = null, ts_device: ts, meta = null } = fields
  const content = contentOf({
    deviceId,
    eventType: fields.event_type,
    valueNum: typeof value === 'number' ? value : null,
    valueText: typeof value === 'string' ? value : null,
    unit,
    tsDevice: readable(ts),
    meta,
  })
  return { deviceId, eventId, fields, payload: JSON.stringify(fields), event: { id: eventId, content }, fate }
}

/** `ts_device` as stored: cases send UTC with microseconds, Unix time, or something unreadable. */
function readable(ts: string | number | undefined): string | null {
  if (typeof ts === 'string') return /^\d{4}-.*\.\d{6}Z$/.test(ts) ? ts : null
  if (ts === undefined) return null
  const ms = ts < 1e11 ? ts * 1000 : ts
  return ms < Date.UTC(10_000, 0) ? new Date(ms).toISOString().replace('Z', '000Z') : null
}
