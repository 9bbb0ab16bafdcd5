import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as kinds from '../../src/config/kinds.ts'

/** Asserts the parsed value of each text. */
function parses<T>(kind: kinds.Kind<T>, cases: readonly (readonly [text: string, value: T])[]): void {
  for (const [text, value] of cases) assert.deepEqual(kind.parse(text), value, text)
}

function refuses(kind: kinds.Kind<unknown>, texts: readonly string[], message: RegExp): void {
  for (const text of texts) assert.throws(() => kind.parse(text), { message }, text)
}

test('an integer is a whole number within its bounds', () => {
  parses(kinds.integer(1, 16), [
    ['1', 1],
    ['16', 16],
    [' 7 ', 7],
  ])
  refuses(
    kinds.integer(1, 16),
    ['0', '17', '-1', '1.5', 'two', '', ' ', 'NaN', 'Infinity', '1,5'],
    /^takes a whole number from 1 to 16$/,
  )
})

test('a port is 0 to 65535', () => {
  parses(kinds.port, [
    ['0', 0],
    ['65535', 65_535],
  ])
  refuses(kinds.port, ['65536', '-1', 'http'], /0 to 65535/)
})

test('a duration is a number with a unit, in milliseconds', () => {
  parses(kinds.duration('1ms', '365d'), [
    ['500ms', 500],
    ['10s', 10_000],
    ['1.5s', 1_500],
    ['5 m', 300_000],
    ['1h', 3_600_000],
    ['90d', 7_776_000_000],
    [' 4s ', 4_000],
  ])
  refuses(
    kinds.duration('1ms', '365d'),
    ['10', 's', '-1s', '10sec', '1h30m', '10S', '1e3s', '.5s', 'toString'],
    /^takes a number with a unit/,
  )
})

test('a size is in bytes, KiB, MiB or GiB, and not 0', () => {
  parses(kinds.size, [
    ['16384', 16_384],
    ['1B', 1],
    ['16KiB', 16_384],
    ['8 MiB', 8_388_608],
    ['1GiB', 1_073_741_824],
  ])
  refuses(kinds.size, ['0', '0KiB', '-1', '1.5KiB', '16KB', '16kib', 'KiB', 'x'], /^takes bytes/)
})

test('a size can have a minimum', () => {
  parses(kinds.sizeFrom('64MiB'), [['64MiB', 67_108_864]])
  refuses(kinds.sizeFrom('64MiB'), ['1MiB', '65535KiB'], /^takes 64MiB or more$/)
  refuses(kinds.sizeFrom('64MiB'), ['64MB'], /^takes bytes/)
})

test('a time zone must be known to this host', () => {
  parses(kinds.timeZone, [
    ['America/Los_Angeles', 'America/Los_Angeles'],
    ['UTC', 'UTC'],
  ])
  refuses(kinds.timeZone, ['Mars/Olympus', 'PST8'], /^takes an IANA time zone/)
})

test('the events topic has one + level', () => {
  assert.equal(kinds.eventTopic.parse('$share/g/qs/v1/+/events').filter, '$share/g/qs/v1/+/events')
  refuses(kinds.eventTopic, ['qs/v1/events', 'qs/#'], /exactly one \+ level/)
})

test('a topic to publish on has no wildcard', () => {
  parses(kinds.topic, [['qs/v1/deadletter', 'qs/v1/deadletter']])
  refuses(kinds.topic, ['qs/+/deadletter', 'qs/#'], /^takes a topic without wildcards$/)
})

test('an ack template contains the device id and no wildcard', () => {
  parses(kinds.ackTemplate, [['qs/v1/{device_id}/acks', 'qs/v1/{device_id}/acks']])
  refuses(kinds.ackTemplate, ['qs/v1/acks', 'qs/v1/+/acks', 'qs/{device_id}/#', '{device}'], /\{device_id\}/)
})

test('a URL has one of the allowed schemes', () => {
  parses(kinds.url('mqtt', 'mqtts'), [
    ['mqtt://broker', 'mqtt://broker'],
    ['mqtts://[::1]:8883', 'mqtts://[::1]:8883'],
  ])
  refuses(
    kinds.url('mqtt', 'mqtts'),
    ['http://broker', 'broker:1883', 'broker', '//broker', 'mqtt'],
    /^takes a URL that starts with mqtt:\/\/ or mqtts:\/\/$/,
  )
})

test('a URL without a host is refused: it would silently mean this machine', () => {
  refuses(
    kinds.url('mqtt', 'mqtts'),
    ['mqtt://', 'mqtt:/broker:1883', 'mqtt:broker'],
    /^takes a URL that starts with/,
  )
})

test('a log level and a QoS take only the listed values', () => {
  parses(kinds.logLevel, [['warn', 'warn']])
  refuses(kinds.logLevel, ['WARN', 'trace', 'verbose'], /^takes one of debug, info, warn, error, silent$/)
  parses(kinds.qos, [
    ['0', 0],
    ['1', 1],
  ])
  refuses(kinds.qos, ['2', '-1', 'one', '01'], /^takes 0 or 1$/)
})

test('the nodes of a broker are complete URLs without credentials, in the order in which they are tried', () => {
  parses(kinds.brokerNodes, [
    ['mqtt://a', 'mqtt://a'],
    ['mqtts://a:8884, b', 'mqtts://a:8884,mqtts://b'],
  ])
  refuses(kinds.brokerNodes, ['mqtt://a,', 'a,b', 'mqtt://a,http://b'], /^takes a URL/)
  refuses(kinds.brokerNodes, ['mqtt://a,user:secret@b'], /^takes no user name/)
})
