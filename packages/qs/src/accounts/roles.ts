import { ackTopic, type EventTopic } from '@qs-telemetry/protocol'
import { ALERT_TOPICS } from './alert-topics.ts'
import { type Acl, type AclType, CONTROL_TOPIC } from './control-protocol.ts'

/** The topics from the settings. */
export interface AccountTopics {
  readonly events: EventTopic
  readonly ackTemplate: string
  readonly deadLetter: string
}

/**
 * Rights by role; everything else is denied.
 *
 * | role              | publishes                  | subscribes to and receives                        |
 * |-------------------|----------------------------|---------------------------------------------------|
 * | `operator`        | everything, and commands   | everything, `$SYS/#`, answers to its commands     |
 * | `ingester`        | device acks, dead letters, alerts | events of all devices, also shared; nearby topics, to find misspelt ones; counters of the broker |
 * | `anonymous`       | events of any device       | device acks of any device                         |
 * | `device:{id}`     | its own events             | its own device acks                               |
 *
 * Mosquitto 2.0's dynamic security has no placeholder for the user name in a topic, so each device has its own role.
 */
export const OPERATOR = 'operator'
export const INGESTER = 'ingester'
export const ANONYMOUS = 'anonymous'
const DEVICE = 'device:'

/** Counters of the broker: dropped messages, for an alarm of the ingester, and queued ones. */
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
    ...allow('publishClientSend', ackFilter(topics), topics.deadLetter, ...ALERT_TOPICS.published),
    ...reads(events, topicsAround(topics.events), ...ALERT_TOPICS.read, ...BROKER_COUNTS),
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

/** Whether both grant the same rights, in any order. */
export function sameAcls(a: readonly Acl[], b: readonly Acl[]): boolean {
  const texts = (acls: readonly Acl[]) => acls.map((acl) => `${acl.acltype} ${acl.topic} ${acl.allow}`).sort()
  return JSON.stringify(texts(a)) === JSON.stringify(texts(b))
}

/** Filter for the device acks of all devices. A wildcard replaces a whole level, including any other text in it. */
export function ackFilter({ ackTemplate }: AccountTopics): string {
  const levels = ackTemplate.split('/')
  return levels.map((level) => (level.includes('{device_id}') ? '+' : level)).join('/')
}

/** All topics with the same first level as events, where misspelt topics are most likely. */
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
