import type { LiveBatch, LiveMessage, System } from '@qs-telemetry/protocol/api'
import { apiUrl, get } from './request.ts'

/** More messages would slow the page down. */
const KEPT = 300
const RETRY_MS = 3_000

export interface LiveQuestion {
  readonly devices: readonly string[]
  readonly onlyRejected: boolean
}

export interface NumberedMessage extends LiveMessage {
  readonly key: number
}

/** Messages as they arrive, newest first, while the component is mounted. */
export class LiveMessages {
  messages = $state.raw<readonly NumberedMessage[]>([])
  dropped = $state(0)
  isConnected = $state(false)
  isPaused = $state(false)
  /** Why no messages arrive, if the server gives a reason. */
  problem = $state<string | null>(null)
  #count = 0

  /** Call during component setup. A null question stops listening. */
  constructor(question: () => LiveQuestion | null) {
    $effect(() => {
      const asked = question()
      if (asked === null) return
      const { devices, onlyRejected } = asked
      this.messages = []
      this.dropped = 0
      const url = apiUrl('/api/live', { device: devices, rejected: onlyRejected || null })
      let source: EventSource
      let timer: ReturnType<typeof setTimeout> | undefined
      const open = () => {
        source = new EventSource(url)
        source.onopen = () => {
          this.isConnected = true
          this.problem = null
        }
        source.onerror = () => {
          this.isConnected = false
          // The browser retries an interrupted stream, but not a refused one.
          if (source.readyState !== EventSource.CLOSED) return
          this.#ask()
          timer = setTimeout(open, RETRY_MS)
        }
        source.onmessage = ({ data }: MessageEvent<string>) => this.#take(JSON.parse(data) as LiveBatch)
      }
      open()
      return () => {
        clearTimeout(timer)
        source.close()
      }
    })
  }

  /** An EventSource does not report why it was refused. */
  async #ask(): Promise<void> {
    const { liveProblem } = await get<System>('/api/system').catch(() => ({ liveProblem: null }))
    this.problem = liveProblem
  }

  #take({ messages, dropped }: LiveBatch): void {
    if (this.isPaused) {
      this.dropped += messages.length + dropped
      return
    }
    this.dropped += dropped
    const fresh = messages.map((message) => ({ ...message, key: this.#count++ })).reverse()
    this.messages = [...fresh, ...this.messages].slice(0, KEPT)
  }
}
