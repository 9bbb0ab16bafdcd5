import { readFileSync } from 'node:fs'
import type { IClientOptions, MqttClient } from 'mqtt'
import { ALERTS_TOPIC } from '../../accounts/alert-topics.ts'
import { connectOnce } from '../../endpoints/connect-once.ts'
import { QsError } from '../../errors/qs-error.ts'
import { reasonOf } from '../../errors/reason-of.ts'
import type { ChannelSettings } from '../channel-kinds.ts'
import type { Firing } from '../read-alerts.ts'
import type { Send } from './sender.ts'
import { webhookBody } from './webhook.ts'

/** The broker of the ingester, for a channel without a url. */
export interface OwnBroker {
  readonly url: string
  readonly clientId: string
  readonly username: string | null
  readonly password: () => string | null
  readonly caFile: string | null
}

/** What retained messages say. */
export interface AlertsNow {
  readonly rules: readonly string[]
  readonly firing: readonly Firing[]
}

interface Retained {
  readonly topic: string
  /** Empty: removes what is retained. */
  readonly payload: string
}

/**
 * Publishes the state of every rule, retained, and what has changed; then disconnects. A subscription to the rules' own topics finds
 * rules that are gone: brokers send what is retained before they answer what comes later on the connection.
 */
export function mqttSender(own: OwnBroker, read: () => Promise<AlertsNow>): Send {
  return async (settings, digest, signal) => {
    const { topic = ALERTS_TOPIC, discovery = 'homeassistant' } = settings
    const places = { topic, discovery: discovery === 'off' ? null : discovery }
    const now = await read()
    let client: MqttClient | null = null
    const end = () => void client?.end(true)
    signal.addEventListener('abort', end)
    try {
      const connected = await connectOnce(settings.url ?? own.url, optionsOf(settings, own))
      client = connected
      connected.on('error', () => {})
      const found = new Set<string>()
      connected.on('message', (name, payload) => {
        if (payload.length > 0) found.add(name.slice(`${topic}/rules/`.length))
      })
      await connected.subscribeAsync(`${topic}/rules/+`, { qos: 1 })
      const publish = ({ topic: name, payload }: Retained) =>
        connected.publishAsync(name, payload, { qos: 1, retain: true })
      // One at a time, for a broker with a small Receive Maximum, which MQTT.js does not obey.
      for (const state of statesOf(now, places)) await publish(state)
      const stale = [...found].filter((rule) => !now.rules.includes(rule))
      for (const removal of stale.flatMap((rule) => removalsOf(rule, places))) await publish(removal)
      if (digest.items.length > 0)
        await connected.publishAsync(`${topic}/changes`, webhookBody(digest), { qos: 1 })
      await connected.endAsync()
    } catch (error) {
      throw new QsError('CHANNEL_FAILED', signal.aborted ? 'No answer in time' : reasonOf(error))
    } finally {
      signal.removeEventListener('abort', end)
      end()
    }
  }
}

/** MQTT 5 says when the broker does not allow a topic; 3.1.1 says nothing. */
function optionsOf({ url, user, password, protocol }: ChannelSettings, own: OwnBroker): IClientOptions {
  const isOwn = url === undefined
  const [name, secret] = isOwn && user === undefined ? [own.username, own.password()] : [user, password]
  return {
    ...{ reconnectPeriod: 0, connectTimeout: 8_000, protocolVersion: protocol === '4' ? 4 : 5 },
    ...(isOwn && { clientId: own.clientId }),
    ...(name != null && { username: name }),
    ...(secret != null && { password: secret }),
    ...(isOwn && own.caFile !== null && { ca: readFileSync(own.caFile) }),
  }
}

interface Places {
  readonly topic: string
  /** null: no Home Assistant. */
  readonly discovery: string | null
}

function statesOf({ rules, firing }: AlertsNow, places: Places): readonly Retained[] {
  const alerts = firing.map(({ deviceId, eventType, isTold: _, ...alert }) => ({
    ...{ ...alert, device_id: deviceId || null, event_type: eventType || null },
  }))
  const all = { state: alerts.length > 0 ? 'firing' : 'ok', firing: alerts }
  const each = rules.flatMap((rule) => {
    const own = alerts.filter((alert) => alert.rule === rule)
    const state = {
      state: own.length > 0 ? 'ON' : 'OFF',
      count: own.length,
      messages: own.map(({ message }) => message),
    }
    return [{ topic: ruleTopic(rule, places), payload: JSON.stringify(state) }, ...discoveryOf(rule, places)]
  })
  return [{ topic: places.topic, payload: JSON.stringify(all) }, ...each]
}

/** https://www.home-assistant.io/integrations/binary_sensor.mqtt */
function discoveryOf(rule: string, places: Places): readonly Retained[] {
  const topic = discoveryTopic(rule, places)
  if (topic === null) return []
  const config = {
    ...{ name: rule, unique_id: `qs_alert_${rule}`, default_entity_id: `binary_sensor.qs_alert_${rule}` },
    ...{
      device_class: 'problem',
      state_topic: ruleTopic(rule, places),
      value_template: '{{ value_json.state }}',
    },
    json_attributes_topic: ruleTopic(rule, places),
    device: { identifiers: ['qs_alerts'], name: 'Alerts of qs-telemetry' },
  }
  return [{ topic, payload: JSON.stringify(config) }]
}

function removalsOf(rule: string, places: Places): readonly Retained[] {
  const topics = [ruleTopic(rule, places), discoveryTopic(rule, places)]
  return topics.flatMap((topic) => (topic === null ? [] : [{ topic, payload: '' }]))
}

function ruleTopic(rule: string, { topic }: Places): string {
  return `${topic}/rules/${rule}`
}

function discoveryTopic(rule: string, { discovery }: Places): string | null {
  return discovery === null ? null : `${discovery}/binary_sensor/qs_alert_${rule}/config`
}
