import type { Session, System } from '@qs-telemetry/protocol/api'

/** Who uses the page, and what it is a page of. */
class CurrentSession {
  value = $state.raw<Session | null>(null)
  system = $state.raw<System | null>(null)

  get mayLook(): boolean {
    return this.value?.role != null
  }

  get mayChange(): boolean {
    return this.value?.role === 'operator'
  }

  /** The server does not know us any more: a restart, or twelve hours have gone. */
  lost(): void {
    if (this.value !== null) this.value = { ...this.value, role: null }
  }
}

export const session = new CurrentSession()
