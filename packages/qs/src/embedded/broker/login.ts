import { setTimeout as delay } from 'node:timers/promises'
import type { Peer, Rules } from '../../broker/rules.ts'
import type { Connect } from '../../mqtt/connect-packet.ts'
import { REASON } from '../../mqtt/reasons.ts'
import type { Access } from './access.ts'
import { aboutClient, type ClientComplaints } from './client-complaints.ts'
import { LoginQueue } from './login-queue.ts'

/** Authenticates clients. Only an authenticated client may affect a session. */
export function login(access: Access, complaints: ClientComplaints): Rules['login'] {
  const queue = new LoginQueue()
  return async (peer: Peer, { username, password }: Connect) => {
    try {
      if (await access.admit(peer, { username, password, queue })) {
        return { reason: REASON.success, account: access.accountOf(peer), ownsId: access.ownsId(peer) }
      }
    } catch {
      // Too many logins wait.
      return { reason: REASON.serverUnavailable, account: '' }
    }
    const about = { ...aboutClient(peer), user: username }
    complaints.say('credentials', about, 'a client with wrong username, password or client id was refused')
    await delay(queue.penaltyMs(peer.address), undefined, { ref: false })
    return { reason: REASON.badCredentials, account: '' }
  }
}
