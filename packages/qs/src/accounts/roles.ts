import { ackTopic, type EventTopic } from '@qs-telemetry/protocol'
import { type Acl, type AclType, CONTROL_TOPIC } from './control-protocol.ts'

/** The topics of the settings. */
export interface AccountTopics {
  readonly events: EventTopic
  readonly ackTemplate: string
  readonly deadLetter: string
}

/**
 * Who may do what; everything else is denied. One line is a role.
 *
 * | role              | publishes                  | subscribes to and receives                        |
 * |-------------------|----------------------------|---------------------------------------------------|
 * | `operator`        | everything, and commands   | everything, `$SYS/#`, answers to its commands     |
 * | `ingester`        | device acks, dead letters  | events of all devices, also shared; the topics around them, where it finds misspelt ones; what the broker counts |
 * | `anonymous`       | events of any device       | device acks of any device                         |
 * | `device:{id}`     | its own events             | its own device acks                               |
 *
 * Mosquitto 2.0's dynamic security has no placeholder for the user in a topic, so each device has a role of its
 * own.
 */
export const OPERATOR = 'operator'
export const INGESTER = 'ingester'
export const ANONYMOUS = 'anonymous'
const DEVICE = 'device:'

/** What the broker counts: messages dropped, where the ingester raises an alarm, and those that wait in queues. */
const BROKER_COUNTS = [
  '$SYS/broker/publish/messages/dropped',
  '$SYS/broker/store/messages/count',
  '$SYS/broker/retained messages/count',
]

export function operatorAcls(): readonly Acl[] {
  return [
    ...allow('publishClientSend', '#', `${CONTROL_TOPIC}/#`),
    ...reads('#', '$SYS/#', `${CONTROL_TOPIC}/#`),
  ]
}

export function ingesterAcls(topics: AccountTopics): readonly Acl[] {
  const events = topics.events.topicOf('+')
  return [
    ...allow('publishClientSend', ackFilter(topics), topics.deadLetter),
    ...reads(events, topicsAround(topics.events), ...BROKER_COUNTS),
    ...allow('subscribePattern', `$share/+/${events}`),
    ...allow('unsubscribePattern', `$share/+/${events}`),
  ]
}

export function anonymousAcls(topics: AccountTopics): readonly Acl[] {
  return [...allow('publishClientSend', topics.events.topicOf('+')), ...reads(ackFilter(topics))]
}

export function deviceAcls(deviceId: string, { events, ackTemplate }: AccountTopics): readonly Acl[] {
  const acks = ackTopic(ackTemplate, deviceId)
  return [
    ...allow('publishClientSend', events.topicOf(deviceId)),
    ...allow('publishClientReceive', acks),
    ...allow('subscribeLiteral', acks),
    ...allow('unsubscribeLiteral', acks),
  ]
}

export function deviceRole(deviceId: string): string {
  return `${DEVICE}${deviceId}`
}

/** The device that a role belongs to, or null. */
export function deviceOfRole(rolename: string): string | null {
  return rolename.startsWith(DEVICE) ? rolename.slice(DEVICE.length) : null
}

/** Whether both allow the same; the order in which a broker tells them is its own. */
export function sameAcls(a: readonly Acl[], b: readonly Acl[]): boolean {
  const texts = (acls: readonly Acl[]) => acls.map((acl) => `${acl.acltype} ${acl.topic} ${acl.allow}`).sort()
  return JSON.stringify(texts(a)) === JSON.stringify(texts(b))
}

/** The device acks of all devices. A wildcard is a whole level, whatever else the template has in it. */
export function ackFilter({ ackTemplate }: AccountTopics): string {
  const levels = ackTemplate.split('/')
  return levels.map((level) => (level.includes('{device_id}') ? '+' : level)).join('/')
}

/** All topics whose first level is that of events: a misspelt one is most likely among them. */
export function topicsAround(events: EventTopic): string {
  const [first] = events.topicOf('+').split('/')
  return first === '+' ? '#' : `${first}/#`
}

function reads(...filters: readonly string[]): readonly Acl[] {
  return (['publishClientReceive', 'subscribePattern', 'unsubscribePattern'] as const).flatMap((type) =>
    allow(type, ...filters),
  )
}

function allow(acltype: AclType, ...topics: readonly string[]): readonly Acl[] {
  return topics.map((topic) => ({ acltype, topic, allow: true }))
}
