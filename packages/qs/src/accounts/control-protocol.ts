/**
 * The part of Mosquitto's dynamic-security protocol that is used here: JSON commands on one topic, an answer to each on
 * the other. The embedded broker implements the same (`embedded/broker/control.ts`).
 */
export const CONTROL_TOPIC = '$CONTROL/dynamic-security/v1'
export const RESPONSE_TOPIC = `${CONTROL_TOPIC}/response`

export const ACL_TYPES = [
  'publishClientSend',
  'publishClientReceive',
  'subscribeLiteral',
  'subscribePattern',
  'unsubscribeLiteral',
  'unsubscribePattern',
] as const
export type AclType = (typeof ACL_TYPES)[number]

/** A permission. For `Literal`, the topic filter must be equal; otherwise the topic is a pattern. */
export interface Acl {
  readonly acltype: AclType
  readonly topic: string
  readonly allow: boolean
}

/** An account as the broker returns it. */
export interface AccountEntry {
  readonly username: string
  readonly clientid?: string
  readonly roles: readonly { readonly rolename: string }[]
}

export interface RoleEntry {
  readonly rolename: string
  readonly acls: readonly Acl[]
}

export interface ControlCommand {
  readonly command: string
  readonly [field: string]: unknown
}

export interface ControlResponse {
  readonly command: string
  readonly correlationData?: string
  readonly error?: string
  readonly data?: unknown
}

/** Error texts of the broker. */
export const REFUSALS = {
  noClient: 'Client not found',
  clientExists: 'Client already exists',
  noRole: 'Role not found',
  roleExists: 'Role already exists',
  noGroup: 'Group not found',
  unknown: 'Unknown command',
} as const
