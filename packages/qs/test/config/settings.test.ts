import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SETTINGS, type Setting } from '../../src/config/settings.ts'

const all: readonly (readonly [name: string, setting: Setting<unknown>])[] = Object.entries(SETTINGS)

test('every default parses', () => {
  for (const [name, { kind, default: text }] of all) {
    if (text !== null) assert.doesNotThrow(() => kind.parse(text), name)
  }
})

test('every setting of the contract is declared', () => {
  const declared = new Set(Object.keys(SETTINGS))
  for (const name of [
    'MQTT_EVENTS_TOPIC',
    'ACK_TEMPLATE',
    'MQTT_DEADLETTER_TOPIC',
    'MQTT_URL',
    'MQTT_CLIENT_ID',
    'MQTT_USERNAME',
    'MQTT_PASSWORD',
    'DATABASE_URL',
    'ACK_QOS',
    'DEVICE_TIMEZONE',
    'DEVICE_CLOCK_MAX_PAST',
    'DEVICE_CLOCK_MAX_FUTURE',
    'HTTP_HOST',
    'HTTP_PORT',
    'QS_DATA_DIR',
    'LOG_LEVEL',
    'MQTT_PORT',
    'MQTT_WS_PORT',
    'POSTGRES_PORT',
  ]) {
    assert.ok(declared.has(name), name)
  }
})

test('settings that contain a password are secret', () => {
  for (const name of ['MQTT_PASSWORD', 'DATABASE_URL']) {
    assert.equal(Object.fromEntries(all)[name]?.secret, true, name)
  }
})

test('every setting has a valid shell name, a group and a description', () => {
  for (const [name, { group, about, kind }] of all) {
    assert.match(name, /^[A-Z][A-Z0-9_]*$/)
    assert.ok(group !== '' && kind.name !== '')
    assert.match(about, /^\S.*[^.]$/, name)
  }
})
