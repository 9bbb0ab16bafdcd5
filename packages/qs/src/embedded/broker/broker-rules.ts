import type { ClientPublish, Rules, Spent } from '../../broker/rules.ts'
import type { Access } from './access.ts'
import type { Incidents } from './incidents.ts'

export interface BrokerRulesOptions {
  /**
   * Called for what a client sends. Returns for how many milliseconds nothing more is read from it.
   *
   * @param topic null: the client may not publish to it, or it is no message; this counts only for the client
   */
  readonly charge?: (clientId: string, topic: string | null, spent: Spent) => number
  /** Called for those of them that the intake does not take, with their content. */
  readonly onPublish?: (clientId: string, publish: ClientPublish) => void
}

export interface BrokerRulesParts {
  readonly login: Rules['login']
  readonly access: Access
  readonly incidents: Incidents
}

/** The rules of the embedded broker: the rights of accounts, the budgets of devices, and what the operator hears. */
export function brokerRules(
  { charge, onPublish }: BrokerRulesOptions,
  { login, access, incidents }: BrokerRulesParts,
): Rules {
  return {
    login,
    get revision() {
      return access.revision
    },
    mayPublish: (peer, topic) => access.mayPublish(peer, topic),
    maySubscribe: (peer, filter) => access.maySubscribe(peer, filter),
    mayReceive: (peer, topic) => access.mayReceive(peer, topic),
    published: (peer, publish) => {
      const { topic, isAllowed, isEvents, bytes } = publish
      if (!isAllowed || !isEvents) onPublish?.(peer.clientId, publish)
      return charge?.(peer.clientId, isAllowed ? topic : null, { messages: 1, bytes }) ?? 0
    },
    charge: (peer, spent) => charge?.(peer.clientId, null, spent) ?? 0,
    refused: (peer, what, topic) => {
      if (what === 'sessions') incidents.sessionRefused(peer, access.accountOf(peer))
      else if (what === 'retained') incidents.notRetained(peer.clientId, topic)
      else if (what === 'client id') incidents.foreignSession(peer)
      else incidents.forbidden(peer, what, topic)
    },
  }
}
