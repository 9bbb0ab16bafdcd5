import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DeviceError } from '@qs-telemetry/device'
import { brokerError } from '../../src/endpoints/broker-error.ts'

const URL = 'mqtt://127.0.0.1:1883'

test('only a broker that does not answer is asked whether it runs', () => {
  const network = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
  const refused = Object.assign(new Error('Connection refused: Not authorized'), { code: 5 })
  const device = (cause: Error) => new DeviceError('CONNECTION', 'No connection', { cause })
  const denied = new DeviceError('CONNECTION', 'Not allowed to subscribe to qs/v1/a/acks')
  for (const error of [network, device(network), new AggregateError([network, network])]) {
    const { code, message } = brokerError(URL, error)
    assert.equal(code, 'BROKER_UNREACHABLE')
    assert.match(message, /^No connection to the broker at mqtt:.*ECONNREFUSED.*Is it running\?.*MQTT_URL/)
  }
  const late = brokerError(URL, new DeviceError('CONNECTION', 'No connection within 10 ms'))
  assert.match(late.message, /^No connection to the broker at mqtt:\S+: no answer in time\. Is it running/)
  for (const error of [refused, device(refused)]) {
    const { code, message } = brokerError(URL, error)
    assert.equal(code, 'BROKER_LOGIN_REFUSED')
    assert.match(message, /^The broker at mqtt:.* refuses the user name or the password.*MQTT_PASSWORD_FILE/)
  }
  assert.equal(brokerError(URL, device(denied)).code, 'BROKER_FORBIDS')
})
