import { topicMatches } from '@qs-telemetry/protocol'
import type { Acl } from '../../accounts/control-protocol.ts'

export type Action = 'publishClientSend' | 'publishClientReceive' | 'subscribe'

/** Whether the permissions allow an action: denied by default, and a denial takes precedence. */
export function isAllowed(acls: readonly Acl[], action: Action, topic: string): boolean {
  const concerned = acls.filter((acl) => concerns(acl, action, topic))
  return concerned.length > 0 && concerned.every(({ allow }) => allow)
}

function concerns({ acltype, topic: pattern }: Acl, action: Action, topic: string): boolean {
  if (action !== 'subscribe') return acltype === action && topicMatches(pattern, topic)
  if (acltype === 'subscribeLiteral') return pattern === topic
  return acltype === 'subscribePattern' && covers(pattern, topic)
}

/** Whether a pattern matches every topic that a topic filter matches. */
export function covers(pattern: string, filter: string): boolean {
  if (filter.startsWith('$') && /^[+#]/.test(pattern)) return false
  const levels = filter.split('/')
  const wanted = pattern.split('/')
  for (const [index, level] of wanted.entries()) {
    if (level === '#') return true
    const asked = levels[index]
    if (asked === undefined || asked === '#' || (level !== '+' && level !== asked)) return false
  }
  return wanted.length === levels.length
}
