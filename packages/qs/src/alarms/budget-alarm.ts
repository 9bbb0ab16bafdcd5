import type { DeviceBudgets } from '../pipeline/device-budgets.ts'
import type { Alarm } from './alarm.ts'

const MAX_NAMED = 5

/** A device sends more than its budget: it is slowed, or with another broker, other devices wait. */
export function budgetAlarm(budgets: Pick<DeviceBudgets, 'over'>): Alarm {
  return {
    name: 'device_budget',
    check: (nowMs) => {
      const devices = budgets.over(nowMs)
      if (devices.length === 0) return null
      const named = devices.slice(0, MAX_NAMED).map((deviceId) => JSON.stringify(deviceId.slice(0, 128)))
      const more = devices.length > MAX_NAMED ? ` and ${devices.length - MAX_NAMED} more` : ''
      return `${named.join(', ')}${more} exceeded a budget (DEVICE_…_PER_SECOND) within the last minute. To see what it sends: qs tail, qs deadletter ls`
    },
  }
}
