import { isIP } from 'node:net'
import { brokerPlace, brokerUrls } from '@qs-telemetry/protocol'
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt'

/**
 * An MQTT.js client for a broker with one or several nodes, separated by commas: after each connection that ended or
 * failed comes the next node. `servers` of MQTT.js would check every certificate for the name of the first node.
 */
export function connectBroker(urls: string, options: IClientOptions): MqttClient {
  const nodes = brokerUrls(urls)
  const client = mqtt.connect(nodes[0] as string, options)
  let turn = 0
  if (nodes.length > 1)
    client.on('close', () => {
      turn = (turn + 1) % nodes.length
      const { protocol, host, port } = brokerPlace(nodes[turn] as string)
      Object.assign(client.options, { protocol, host, hostname: host, port })
      Object.assign(client.options, { servername: isIP(host) === 0 ? host : undefined })
    })
  return client
}
