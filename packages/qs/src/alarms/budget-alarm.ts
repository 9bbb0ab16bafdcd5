import type { DeviceBudgets } from '../pipeline/device-budgets.ts'
import type { Alarm } from './alarm.ts'

const MAX_NAMED = 5

/** A device sends more than its budget: others wait for it, or it is slowed so that they do not. */
export function budgetAlarm(budgets: Pick<DeviceBudgets, 'over'>): Alarm {
  return {
    name: 'device_budget',
    check: (nowMs) => {
      const devices = budgets.over(nowMs)
      if (devices.length === 0) return null
      const named = devices.slice(0, MAX_NAMED).map((deviceId) => JSON.stringify(deviceId.slice(0, 128)))
      const more = devices.length > MAX_NAMED ? ` and ${devices.length - MAX_NAMED} more` : ''
      return `${named.join(', ')}${more} exceeded a budget (DEVICE_…_PER_SECOND) within the last minute. Look at what it sends: qs tail, qs deadletter ls`
    },
  }
}
