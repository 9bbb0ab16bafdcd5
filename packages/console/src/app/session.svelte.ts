import type { Session, System } from '@qs-telemetry/protocol/api'

/** The user's session, and the system that the console belongs to. */
class CurrentSession {
  value = $state.raw<Session | null>(null)
  system = $state.raw<System | null>(null)

  get mayLook(): boolean {
    return this.value?.role != null
  }

  get mayChange(): boolean {
    return this.value?.role === 'operator'
  }

  /** The server no longer accepts the session: it restarted, or twelve hours have passed. */
  lost(): void {
    if (this.value !== null) this.value = { ...this.value, role: null }
  }
}

export const session = new CurrentSession()
