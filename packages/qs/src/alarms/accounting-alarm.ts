import type { Accounting } from '../pipeline/accounting.ts'
import type { Alarm } from './alarm.ts'

export interface AccountingReadings {
  readonly accounting: Accounting
  readonly unsettledMessages: () => number
}

/**
 * received = stored + duplicate + rejected + in flight, and nothing is in flight once every message is settled. If this
 * does not hold, an event was lost or counted twice. Waiting does not fix that, so the alarm stays.
 */
export function accountingAlarm({ accounting, unsettledMessages }: AccountingReadings): Alarm {
  return {
    name: 'accounting',
    check: () => {
      const { received, stored, duplicate, rejected, inFlight, difference } = accounting
      const numbers = `${received} received, ${stored} stored, ${duplicate} duplicate, ${rejected} rejected, ${inFlight} in flight`
      const advice = 'This is a bug in the ingester: please report it with the log'
      if (difference !== 0) return `the counts are off by ${difference}: ${numbers}. ${advice}`
      if (unsettledMessages() === 0 && inFlight !== 0)
        return `every message is settled, but not every event has an outcome: ${numbers}. ${advice}`
      return null
    },
  }
}
