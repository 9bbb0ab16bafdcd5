import { hasCode, QsError } from '../errors/qs-error.ts'
import { ControlConnection, canLogIn, type OperatorLogin } from './control-connection.ts'
import { REFUSALS } from './control-protocol.ts'
import { ensureRole, findAccount, listRoles, orNull } from './queries.ts'
import {
  type AccountTopics,
  ANONYMOUS,
  anonymousAcls,
  deviceAcls,
  deviceOfRole,
  INGESTER,
  ingesterAcls,
  OPERATOR,
  operatorAcls,
} from './roles.ts'

export interface ProvisionOptions {
  readonly operator: OperatorLogin & { readonly username: string }
  readonly topics: AccountTopics
  readonly ingester: { readonly username: string; readonly password: string }
  /** Called with a line for each change; not called if nothing changes. */
  readonly onDone: (what: string) => void
}

interface DefaultAccess {
  readonly acltype: string
  readonly allow: boolean
}

/**
 * Sets up a Mosquitto with dynamic security: roles, the accounts of operator and ingester, everything else denied.
 * Idempotent: it changes only what differs, so that it disconnects nobody.
 *
 * The operator's role comes first and the denial last, so that no failure can lock the operator out.
 *
 * @throws QsError
 */
export async function provision(options: ProvisionOptions): Promise<void> {
  const { operator, topics, ingester, onDone } = options
  await checkNeed(operator)
  await provisionOperator(operator, onDone)
  const connection = await ControlConnection.open(operator)
  try {
    const ensure = async (rolename: string, acls: Parameters<typeof ensureRole>[2]) => {
      const done = await ensureRole(connection, rolename, acls)
      if (done !== 'kept') onDone(`role ${rolename} ${done}`)
    }
    await ensure(INGESTER, ingesterAcls(topics))
    await ensure(ANONYMOUS, anonymousAcls(topics))
    for (const { rolename, acls } of await listRoles(connection)) {
      const deviceId = deviceOfRole(rolename)
      if (deviceId !== null && acls !== undefined) await ensure(rolename, deviceAcls(deviceId, topics))
    }
    await provisionIngester(connection, { operator, ingester, onDone })
    await provisionAnonymous(connection, onDone)
    await denyTheRest(connection, onDone)
  } finally {
    await connection.close()
  }
}

/** The embedded broker has no groups, and has its operator and denials built in. */
async function checkNeed(operator: OperatorLogin): Promise<void> {
  const connection = await ControlConnection.open(operator)
  try {
    if ((await orNull(connection.run({ command: 'getAnonymousGroup' }), REFUSALS.unknown)) === null)
      throw new QsError('NO_PROVISIONING_NEEDED', 'This is the embedded broker of qs up')
  } finally {
    await connection.close()
  }
}

/**
 * The broker closes the operator's connection when it adds or changes one of the operator's roles, and the answer is
 * lost. Each step therefore has its own connection, and a lost one is checked on the next connection.
 */
async function provisionOperator(
  operator: ProvisionOptions['operator'],
  onDone: ProvisionOptions['onDone'],
): Promise<void> {
  const { username } = operator
  const ensureOwnRole = async (connection: ControlConnection) => {
    const done = await ensureRole(connection, OPERATOR, operatorAcls())
    if (done !== 'kept') onDone(`role ${OPERATOR} ${done}`)
  }
  const takeRole = async (connection: ControlConnection) => {
    const account = await findAccount(connection, username)
    if (account === null || hasRole(account, OPERATOR)) return
    await connection.run({ command: 'addClientRole', username, rolename: OPERATOR })
    onDone(`account ${username} has role ${OPERATOR}`)
  }
  if (await isLost(operator, ensureOwnRole)) {
    await isLost(operator, ensureOwnRole)
    onDone(`role ${OPERATOR} repaired`)
  }
  if (await isLost(operator, takeRole)) {
    await isLost(operator, takeRole)
    onDone(`account ${username} has role ${OPERATOR}`)
  }
}

async function isLost(
  operator: OperatorLogin,
  step: (connection: ControlConnection) => Promise<unknown>,
): Promise<boolean> {
  const connection = await ControlConnection.open(operator)
  try {
    await step(connection)
    return false
  } catch (error) {
    if (hasCode(error, 'BROKER_NO_ANSWER')) return true
    throw error
  } finally {
    await connection.close()
  }
}

/** A password cannot be read, and setting it disconnects the ingester, so a login is tried first. */
async function provisionIngester(
  connection: ControlConnection,
  { operator, ingester, onDone }: Pick<ProvisionOptions, 'operator' | 'ingester' | 'onDone'>,
): Promise<void> {
  const { username, password } = ingester
  const account = await findAccount(connection, username)
  if (account === null) {
    const roles = [{ rolename: INGESTER }]
    await connection.run({ command: 'createClient', username, password, roles })
    return onDone(`account ${username} created`)
  }
  if (!hasRole(account, INGESTER)) {
    await connection.run({ command: 'addClientRole', username, rolename: INGESTER })
    onDone(`account ${username} has role ${INGESTER}`)
  }
  if (await canLogIn({ ...operator, username, password })) return
  await connection.run({ command: 'setClientPassword', username, password })
  onDone(`account ${username} has its new password`)
}

/** Rights of clients without a user name, if the broker admits them (`allow_anonymous`). */
async function provisionAnonymous(
  connection: ControlConnection,
  onDone: ProvisionOptions['onDone'],
): Promise<void> {
  const groupname = ANONYMOUS
  const found = await orNull(connection.run({ command: 'getGroup', groupname }), REFUSALS.noGroup)
  const roles = [{ rolename: ANONYMOUS }]
  if (found === null) {
    await connection.run({ command: 'createGroup', groupname, roles })
    onDone(`group ${groupname} created`)
  } else if (!hasRole((found as { group: { roles: typeof roles } }).group, ANONYMOUS)) {
    await connection.run({ command: 'addGroupRole', groupname, rolename: ANONYMOUS })
    onDone(`group ${groupname} has role ${ANONYMOUS}`)
  }
  const current = (await connection.run({ command: 'getAnonymousGroup' })) as {
    group?: { groupname?: string }
  }
  if (current.group?.groupname === groupname) return
  await connection.run({ command: 'setAnonymousGroup', groupname })
  onDone(`clients without a user belong to group ${groupname}`)
}

async function denyTheRest(connection: ControlConnection, onDone: ProvisionOptions['onDone']): Promise<void> {
  const { acls } = (await connection.run({ command: 'getDefaultACLAccess' })) as {
    acls: readonly DefaultAccess[]
  }
  const open = acls.filter(({ allow }) => allow)
  if (open.length === 0) return
  const denied = acls.map(({ acltype }) => ({ acltype, allow: false }))
  await connection.run({ command: 'setDefaultACLAccess', acls: denied })
  onDone(`denied unless a role allows it: ${open.map(({ acltype }) => acltype).join(', ')}`)
}

function hasRole(
  { roles }: { readonly roles: readonly { readonly rolename: string }[] },
  role: string,
): boolean {
  return roles.some(({ rolename }) => rolename === role)
}
