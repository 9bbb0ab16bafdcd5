import type { DeviceSort } from '@qs-telemetry/protocol/api'

interface Order {
  /** Expression on a row of `devices`, never null. */
  readonly key: string
  readonly type: 'text collate "C"' | 'timestamptz' | 'double precision' | 'int'
  readonly direction: 'asc' | 'desc'
}

const NAME = 'lower(coalesce(label, device_id)) collate "C"'

/** Devices with the same key are ordered by id, in the same direction. */
export const DEVICE_ORDERS: Readonly<Record<DeviceSort, Order>> = {
  name: { key: NAME, type: 'text collate "C"', direction: 'asc' },
  // Devices without a room come last. Names have no control characters, so chr(1) separates room and name.
  room: {
    key: `(case when room is null then '1' else '0' || lower(room) end || chr(1) || ${NAME}) collate "C"`,
    type: 'text collate "C"',
    direction: 'asc',
  },
  seen: { key: `coalesce(last_seen, '-infinity')`, type: 'timestamptz', direction: 'desc' },
  // Devices never seen come last.
  quiet: { key: `coalesce(last_seen, 'infinity')`, type: 'timestamptz', direction: 'asc' },
  clock: { key: 'coalesce(abs(clock_offset), -1)', type: 'double precision', direction: 'desc' },
  types: { key: 'types', type: 'int', direction: 'desc' },
}

/** The end of a page. */
export interface DeviceCursor {
  readonly sort: DeviceSort
  readonly key: string
  readonly deviceId: string
}

export function writeDeviceCursor({ sort, key, deviceId }: DeviceCursor): string {
  return Buffer.from(JSON.stringify([sort, key, deviceId])).toString('base64url')
}

/** Null if the cursor is invalid. */
export function readDeviceCursor(text: string): DeviceCursor | null {
  try {
    const [sort, key, deviceId] = JSON.parse(Buffer.from(text, 'base64url').toString()) as unknown[]
    if (typeof sort !== 'string' || typeof key !== 'string' || typeof deviceId !== 'string') return null
    return Object.hasOwn(DEVICE_ORDERS, sort) && isKey(sort as DeviceSort, key)
      ? { sort: sort as DeviceSort, key, deviceId }
      : null
  } catch {
    return null
  }
}

/** Rejects keys that PostgreSQL could not parse, which would be a server error. */
function isKey(sort: DeviceSort, key: string): boolean {
  switch (DEVICE_ORDERS[sort].type) {
    case 'timestamptz':
      return /^-?infinity$|^\d{4,6}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?[+-]\d\d(:\d\d){0,2}$/.test(key)
    case 'double precision':
      return key.length < 30 && Number.isFinite(Number(key)) && key.trim() !== ''
    case 'int':
      return /^\d{1,9}$/.test(key)
    default:
      return true
  }
}
