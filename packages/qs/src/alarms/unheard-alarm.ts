import type { Accounting } from '../pipeline/accounting.ts'
import type { IntakeStatus } from '../pipeline/intake.ts'
import type { Alarm } from './alarm.ts'

export interface UnheardReadings {
  readonly accounting: Pick<Accounting, 'received'>
  readonly status: () => Pick<IntakeStatus, 'isConnected' | 'isPaused' | 'unsettledMessages'>
  /** Messages on event topics that a plain subscription has got. */
  readonly published: () => number
  /** Whether any ingester has stored something within the last minutes. */
  readonly areOthersStoring: () => Promise<boolean>
}

export const UNHEARD_MESSAGES = 10
export const UNHEARD_MS = 60_000
const ASK_AGAIN_MS = 30_000

/**
 * Devices publish events, and neither this ingester nor another one gets any. With a shared subscription, an ingester may
 * get nothing because the others of its group get everything: the database knows.
 */
export function unheardAlarm({ accounting, status, published, areOthersStoring }: UnheardReadings): Alarm {
  let since = { received: -1, published: 0, atMs: 0 }
  let askedMs = Number.NEGATIVE_INFINITY
  let isNobodyStoring = false
  return {
    name: 'unheard',
    check: (nowMs) => {
      const { isConnected, isPaused, unsettledMessages } = status()
      const { received } = accounting
      if (!isConnected || isPaused || unsettledMessages > 0 || received !== since.received) {
        since = { received, published: published(), atMs: nowMs }
        isNobodyStoring = false
        return null
      }
      const count = published() - since.published
      if (count < UNHEARD_MESSAGES || nowMs - since.atMs < UNHEARD_MS) return null
      if (nowMs - askedMs >= ASK_AGAIN_MS) {
        askedMs = nowMs
        areOthersStoring().then(
          (areStoring) => {
            isNobodyStoring = !areStoring
          },
          () => {},
        )
      }
      if (!isNobodyStoring) return null
      return (
        `${count} events were published within ${Math.round((nowMs - since.atMs) / 1000)} s, and the subscription of this ` +
        'ingester got none. Does the broker know $share/… and this session? See qs doctor; without $share/ in MQTT_EVENTS_TOPIC it works with any broker'
      )
    },
  }
}
