import { setTimeout as delay } from 'node:timers/promises'
import type { Aedes, AuthenticateError, Client } from 'aedes'
import type { Access } from './access.ts'
import { aboutClient, addressOf, type ClientComplaints } from './client-complaints.ts'
import { LoginQueue } from './login-queue.ts'
import { Mqtt5Connection } from './mqtt5/connection.ts'
import type { SessionLifetimes } from './session-lifetimes.ts'
import type { SessionQuota } from './session-quota.ts'

const [IDENTIFIER_REJECTED, SERVER_UNAVAILABLE, BAD_USERNAME_OR_PASSWORD] = [2, 3, 4] as const

const TOO_MANY_SESSIONS =
  'a client was refused a durable session: its account has reached the limit MQTT_MAX_SESSIONS_PER_ACCOUNT'

export interface LoginOptions {
  readonly access: Access
  readonly complaints: ClientComplaints
  readonly lifetimes: SessionLifetimes
  readonly quota: SessionQuota
  /** Whether an outside client uses the client id of the ingester in this process. */
  readonly isImpostor: (client: Client) => boolean
}

/** Authenticates clients. Only an authenticated client may affect a session. */
export function login({
  access,
  complaints,
  lifetimes,
  quota,
  isImpostor,
}: LoginOptions): Aedes['authenticate'] {
  const queue = new LoginQueue()
  const enter = async (
    client: Client,
    username?: string,
    password?: Buffer,
  ): Promise<AuthenticateError | null> => {
    try {
      if (await access.admit(client, { username, password, queue })) {
        if (isImpostor(client)) return refusal('the client id of the ingester', IDENTIFIER_REJECTED)
        // The client left while it waited, and must not displace a newer connection of the same client.
        if (client.closed || client.conn.destroyed) return refusal('it has left', SERVER_UNAVAILABLE)
        await lifetimes.begin(client)
        const account = access.accountOf(client)
        if (quota.admit(client, account)) return null
        complaints.say('sessions', { ...aboutClient(client), account }, TOO_MANY_SESSIONS)
        if (client.conn instanceof Mqtt5Connection) client.conn.refuseForQuota()
        return refusal(TOO_MANY_SESSIONS, SERVER_UNAVAILABLE)
      }
    } catch (error) {
      return refusal((error as Error).message, SERVER_UNAVAILABLE)
    }
    const about = { ...aboutClient(client), user: username }
    complaints.say('credentials', about, 'a client with wrong username, password or client id was refused')
    await delay(queue.penaltyMs(addressOf(client)), undefined, { ref: false })
    return refusal('wrong username or password', BAD_USERNAME_OR_PASSWORD)
  }
  return (client, username, password, done) => {
    enter(client, username, password).then((error) => done(error, error === null))
  }
}

function refusal(message: string, returnCode: number): AuthenticateError {
  return Object.assign(new Error(message), { returnCode })
}
