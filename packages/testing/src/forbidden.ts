import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt'
import { until } from './until.ts'

export interface Login {
  readonly username: string
  readonly password: string
}

/** A broker with two devices, whose accounts are bound to client id = username, under the default topics. */
export interface ForbiddenContext {
  readonly url: string
  readonly device: Login
  readonly otherDevice: Login
  /** A device whose account was removed. */
  readonly revoked: Login
  readonly operator: Login
  /** The client id of the ingester, or of any client that is not a device. */
  readonly ingesterClientId: string
  readonly protocolVersion: 4 | 5
  /** For `mqtts`. */
  readonly ca?: Buffer
}

/** What a device must not be able to do. `attempt` rejects if it can. */
export interface Forbidden {
  readonly what: string
  attempt(context: ForbiddenContext): Promise<void>
}

const DEAD_LETTERS = 'qs/v1/deadletter'
const CONTROL = '$CONTROL/dynamic-security/v1'
const events = ({ username }: Login) => `qs/v1/${username}/events`
const acks = ({ username }: Login) => `qs/v1/${username}/acks`

export const FORBIDDEN: readonly Forbidden[] = [
  {
    what: 'publish events as another device',
    attempt: (context) => cannotPublish(context, events(context.otherDevice)),
  },
  {
    what: 'publish retained events as another device',
    attempt: (context) => cannotPublish(context, events(context.otherDevice), { retain: true }),
  },
  { what: 'publish its own device acks', attempt: (context) => cannotPublish(context, acks(context.device)) },
  {
    what: 'publish device acks of another device',
    attempt: (context) => cannotPublish(context, acks(context.otherDevice)),
  },
  { what: 'publish dead letters', attempt: (context) => cannotPublish(context, DEAD_LETTERS) },
  { what: 'publish to a topic of its own choice', attempt: (context) => cannotPublish(context, 'elsewhere') },
  {
    what: 'leave a will for the events of another device',
    attempt: (context) => cannotPublish(context, events(context.otherDevice), { will: true }),
  },
  {
    what: 'leave a retained will as a dead letter',
    attempt: (context) => cannotPublish(context, DEAD_LETTERS, { will: true, retain: true }),
  },
  {
    what: 'read the device acks of another device',
    attempt: (context) => cannotRead(context, acks(context.otherDevice), acks(context.otherDevice)),
  },
  {
    what: 'read the device acks of all devices',
    attempt: (context) => cannotRead(context, 'qs/v1/+/acks', acks(context.otherDevice)),
  },
  {
    what: 'read the events of another device',
    attempt: (context) => cannotRead(context, events(context.otherDevice), events(context.otherDevice)),
  },
  { what: 'read dead letters', attempt: (context) => cannotRead(context, DEAD_LETTERS, DEAD_LETTERS) },
  {
    what: 'read everything with #',
    attempt: (context) => cannotRead(context, '#', events(context.otherDevice)),
  },
  {
    what: 'take events away from the ingester with a shared subscription',
    attempt: (context) => cannotRead(context, '$share/x/qs/v1/+/events', events(context.otherDevice)),
  },
  {
    what: 'read # after an allowed topic filter, when it reconnects',
    attempt: cannotSmuggle,
  },
  { what: 'subscribe to $SYS/#', attempt: (context) => cannotSubscribe(context, '$SYS/#') },
  {
    what: 'read the responses to account commands',
    attempt: (context) => cannotSubscribe(context, '$CONTROL/#', `${CONTROL}/response`),
  },
  { what: 'send account commands', attempt: cannotCommand },
  {
    what: 'connect with a wrong password',
    attempt: (context) => cannotConnect(context, { ...asDevice(context.device), password: 'wrong' }),
  },
  {
    what: 'connect without a user',
    attempt: (context) => cannotConnect(context, { clientId: context.device.username }),
  },
  {
    what: 'connect once its account is removed',
    attempt: (context) => cannotConnect(context, asDevice(context.revoked)),
  },
  {
    what: 'connect with the client id of another device',
    attempt: (context) =>
      cannotConnect(context, { ...asDevice(context.device), clientId: context.otherDevice.username }),
  },
  {
    what: "take over the ingester's session",
    attempt: (context) =>
      cannotConnect(context, {
        ...asDevice(context.device),
        clientId: context.ingesterClientId,
        clean: false,
      }),
  },
  {
    what: 'connect with a client id that the broker chooses',
    attempt: (context) => cannotConnect(context, { ...asDevice(context.device), clientId: '', clean: true }),
  },
]

/** The opposite, without which the list above would pass with a broker that does nothing. */
export async function mayDoItsWork(context: ForbiddenContext): Promise<void> {
  const { device, operator } = context
  const watcher = await watch(context, operator, '#')
  const client = await connect(context, asDevice(device))
  const heard = messages(client)
  try {
    await client.subscribeAsync(acks(device), { qos: 1 })
    const [event, ack] = [randomUUID(), randomUUID()]
    await client.publishAsync(events(device), event, { qos: 1 })
    await until(() => watcher.heard.includes(event), 'its event arrives')
    await watcher.client.publishAsync(acks(device), ack, { qos: 1 })
    await until(() => heard.includes(ack), 'its device ack arrives')
  } finally {
    await end(client, watcher.client)
  }
}

function asDevice({ username, password }: Login): IClientOptions {
  return { username, password, clientId: username }
}

async function cannotConnect(context: ForbiddenContext, options: IClientOptions): Promise<void> {
  const client = await connect(context, options).catch((error: Error) => error)
  if (client instanceof Error) return assert.match(client.message, /not authorized|bad user ?name/i)
  await end(client)
  assert.fail('it was accepted')
}

interface Publishing {
  readonly retain?: boolean
  readonly will?: boolean
}

/** The operator's own message on the same topic comes last: anything not received by then never arrives. */
async function cannotPublish(
  context: ForbiddenContext,
  topic: string,
  { retain = false, will = false }: Publishing = {},
): Promise<void> {
  const { device, operator, protocolVersion } = context
  const watcher = await watch(context, operator, '#')
  const forged = `forged ${randomUUID()}`
  try {
    if (will) {
      const options = {
        ...asDevice(device),
        will: { topic, payload: Buffer.from(forged), qos: 1, retain } as const,
      }
      const client = await connect(context, options).catch(() => null)
      client?.stream.destroy()
      // Its next connection is accepted only after this one has been cleaned up, including its will.
      if (client !== null) await end(await connect(context, asDevice(device)))
    } else {
      for (const qos of [0, 1, 2] as const) {
        const client = await connect(context, asDevice(device))
        const error = await client.publishAsync(topic, forged, { qos, retain }).catch((each: Error) => each)
        if (protocolVersion === 5 && qos > 0)
          assert.ok(error instanceof Error, `QoS ${qos}: the broker reports it`)
        // A last request with an answer: the broker has processed everything before it.
        await client.unsubscribeAsync(acks(device)).catch(() => {})
        await end(client)
      }
    }
    const last = randomUUID()
    await watcher.client.publishAsync(topic, last, { qos: 1 })
    await until(() => watcher.heard.includes(last), 'the message of the operator')
    assert.ok(!watcher.heard.includes(forged), 'others received it')
    if (retain) {
      const late = await watch(context, operator, topic)
      await late.client.publishAsync(topic, last, { qos: 1 })
      await until(() => late.heard.includes(last), 'the message of the operator')
      await end(late.client)
      assert.ok(!late.heard.includes(forged), 'it is retained')
    }
  } finally {
    await end(watcher.client)
  }
}

async function cannotRead(context: ForbiddenContext, filter: string, topic: string): Promise<void> {
  const client = await connect(context, asDevice(context.device))
  const heard = messages(client)
  try {
    await assert.rejects(client.subscribeAsync(filter, { qos: 1 }), /./, 'the subscription was granted')
    await proveNothingArrives(context, client, { heard, topic })
  } finally {
    await end(client)
  }
}

async function cannotSmuggle(context: ForbiddenContext): Promise<void> {
  const durable: IClientOptions = {
    ...asDevice(context.device),
    clean: false,
    ...(context.protocolVersion === 5 && { properties: { sessionExpiryInterval: 60 } }),
  }
  const before = await connect(context, durable)
  await before.subscribeAsync([acks(context.device), '#'], { qos: 1 }).catch(() => {})
  await end(before)
  const operator = await connect(context, context.operator)
  await operator.publishAsync(events(context.otherDevice), 'queued', { qos: 1 })
  await end(operator)
  const heard: string[] = []
  const after = await connect(context, durable, heard)
  try {
    await proveNothingArrives(context, after, { heard, topic: events(context.otherDevice) })
  } finally {
    await end(after)
    await end(await connect(context, { ...durable, clean: true, properties: {} }))
  }
}

/** Once the device's own message, sent after the forbidden one, has arrived, the forbidden one never will. */
async function proveNothingArrives(
  context: ForbiddenContext,
  client: MqttClient,
  { heard, topic }: { readonly heard: readonly string[]; readonly topic: string },
): Promise<void> {
  const operator = await connect(context, context.operator)
  const [secret, last] = [randomUUID(), randomUUID()]
  try {
    await client.subscribeAsync(acks(context.device), { qos: 1 })
    await operator.publishAsync(topic, secret, { qos: 1 })
    await operator.publishAsync(acks(context.device), last, { qos: 1 })
    await until(() => heard.includes(last), 'its own device ack')
    assert.deepEqual(
      heard.filter((each) => each !== last),
      [],
      'it received a forbidden message',
    )
  } finally {
    await end(operator)
  }
}

async function cannotSubscribe(context: ForbiddenContext, ...filters: readonly string[]): Promise<void> {
  const client = await connect(context, asDevice(context.device))
  try {
    for (const filter of filters)
      await assert.rejects(client.subscribeAsync(filter), /./, `${filter} was granted`)
  } finally {
    await end(client)
  }
}

/** An executed command would leave a role, which the operator would see. */
async function cannotCommand(context: ForbiddenContext): Promise<void> {
  const rolename = `intruder-${randomUUID()}`
  const client = await connect(context, asDevice(context.device))
  const commands = [{ command: 'createRole', rolename, acls: [] }]
  await client.publishAsync(CONTROL, JSON.stringify({ commands }), { qos: 1 }).catch(() => {})
  await end(client)
  const operator = await watch(context, context.operator, `${CONTROL}/response`)
  try {
    const question = { commands: [{ command: 'getRole', rolename, correlationData: rolename }] }
    await operator.client.publishAsync(CONTROL, JSON.stringify(question), { qos: 1 })
    const answer = await until(
      () => operator.heard.find((each) => each.includes(rolename)),
      'an answer to the operator',
    )
    assert.match(answer, /Role not found/, 'its command was executed')
  } finally {
    await end(operator.client)
  }
}

async function watch(context: ForbiddenContext, login: Login, filter: string) {
  const client = await connect(context, login)
  const heard = messages(client)
  await client.subscribeAsync(filter, { qos: 1 })
  return { client, heard }
}

function messages(client: MqttClient): readonly string[] {
  const heard: string[] = []
  client.on('message', (_topic, payload) => heard.push(payload.toString()))
  return heard
}

/** @param heard collects what arrives from the start: queued messages arrive with CONNACK */
function connect(
  { url, protocolVersion, ca }: ForbiddenContext,
  options: IClientOptions,
  heard: string[] = [],
): Promise<MqttClient> {
  const client = mqtt.connect(url, { protocolVersion, reconnectPeriod: 0, ...(ca && { ca }), ...options })
  client.on('message', (_topic, payload) => heard.push(payload.toString()))
  return new Promise((resolve, reject) => {
    client.once('connect', () => resolve(client))
    client.on('error', reject)
    client.once('close', () => reject(new Error('Connection closed: not authorized?')))
  })
}

async function end(...clients: readonly MqttClient[]): Promise<void> {
  await Promise.all(clients.map((client) => client.endAsync(true)))
}
