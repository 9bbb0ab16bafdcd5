import type { PinnedList, PinnedReading } from '@qs-telemetry/protocol/api'
import { get, send } from './request.ts'

const keyOf = (deviceId: string, eventType: string) => `${deviceId}\n${eventType}`

/** The pinned readings, for pin buttons on any page: fetched once by the first button, then taken from each answer. */
class Pins {
  #keys = $state.raw<ReadonlySet<string> | null>(null)
  #isAsked = false
  /** Why the last change failed, for example at the twenty-fifth pin. Shown above every page. */
  problem = $state('')

  has(deviceId: string, eventType: string): boolean {
    return this.#keys?.has(keyOf(deviceId, eventType)) ?? false
  }

  load(): void {
    if (this.#isAsked) return
    this.#isAsked = true
    get<PinnedList>('/api/pinned').then(
      ({ pinned }) => this.take(pinned),
      () => {
        this.#isAsked = false
      },
    )
  }

  async set(deviceId: string, eventType: string, isPinned: boolean): Promise<void> {
    this.problem = ''
    try {
      const { pinned } = await send<PinnedList>('PUT', '/api/pinned', { deviceId, eventType, isPinned })
      this.take(pinned)
    } catch (error) {
      this.problem = (error as Error).message
    }
  }

  take(pinned: readonly PinnedReading[]): void {
    this.#isAsked = true
    this.#keys = new Set(pinned.map(({ deviceId, eventType }) => keyOf(deviceId, eventType)))
  }
}

export const pins = new Pins()
