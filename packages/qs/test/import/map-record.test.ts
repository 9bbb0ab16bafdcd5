import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { configOf } from '@qs-telemetry/testing/pipeline.ts'
import { decodeOptions } from '../../src/decode/decode-options.ts'
import { type FormatName, formatOf } from '../../src/import/formats.ts'
import { type MapOptions, recordMapper } from '../../src/import/map-record.ts'
import { adjusted } from '../../src/import/mapping.ts'
import { toEvent } from '../../src/import/to-event.ts'
import type { Event } from '../../src/pipeline/message.ts'

interface Options extends Partial<Omit<MapOptions, 'mapping'>> {
  readonly map?: readonly string[]
  readonly values?: readonly string[]
}

/** The events of a file, and the codes of what is none. */
async function read(format: FormatName, lines: readonly string[], options: Options = {}) {
  const { map = [], values = [], timeUnit = null, decimalComma = false } = options
  const { mapping, read: readRecords } = formatOf(format)
  const mapOne = recordMapper({ mapping: adjusted(mapping, { map, values }), timeUnit, decimalComma })
  const decode = decodeOptions(configOf({ DEVICE_TIMEZONE: 'Europe/Berlin' }), () => undefined)
  const trusting = { ...decode, clockTrust: { ...decode.clockTrust, maxPastMs: Number.POSITIVE_INFINITY } }
  const now = { epochMs: Date.parse('2026-11-29T12:00:00Z'), micros: 0 }
  const events: (Event | string)[] = []
  const chunks = Readable.from([Buffer.from(lines.join('\n'))])
  for await (const records of readRecords(chunks, { delimiter: null, header: null, onHeader: () => {} }))
    for (const record of records)
      for (const mapped of record.fault === null ? mapOne(record) : []) {
        const event = toEvent(mapped, trusting, now)
        events.push('eventId' in event ? event : event.code)
      }
  return events
}

const shown = (event: Event | string) =>
  typeof event === 'string'
    ? event
    : [event.deviceId, event.eventType, event.valueNum ?? event.valueText, event.unit, event.ts, event.meta]

test('a CSV with a column for each measurement, and one with a line for each', async () => {
  const wide = await read(
    'csv',
    ['date,time,temp,door', '2024-06-01,12:00:00.000001,21.5,open', '2024-06-01,12:01,,true'],
    {
      ...{ map: ['device_id=balcony', 'time={date}T{time}'], values: ['temp', 'door'] },
    },
  )
  assert.deepEqual(wide.map(shown), [
    ['balcony', 'temp', 21.5, null, '2024-06-01T10:00:00.000001Z', null],
    ['balcony', 'door', 'open', null, '2024-06-01T10:00:00.000001Z', null],
    ['balcony', 'door', 1, null, '2024-06-01T10:01:00.000000Z', null],
  ])
  const long = await read(
    'csv',
    ['when;board;sensor;reading;rssi', '01717243200;7;temp;-1,5;-70', ';7;temp;1;'],
    {
      map: [
        'device_id=esp-{board}',
        'event_type={sensor}',
        'value={reading}',
        'time={when}',
        'unit=°C',
        'meta.rssi={rssi}',
      ],
      decimalComma: true,
    },
  )
  assert.deepEqual(long.map(shown), [
    ['esp-7', 'temp', -1.5, '°C', '2024-06-01T12:00:00.000000Z', '{"rssi":-70}'],
    'NO_TIME',
  ])
})

test('digits that no double has survive in values and in meta', async () => {
  const [event] = await read('csv', [
    'device,type,value,time,meta',
    'd,t,12345678901234567890.10,1,"{""n"": 12345678901234567890}"',
  ])
  const { valueExact, meta } = event as Event
  assert.deepEqual([valueExact, meta], ['12345678901234567890.1', '{"n":12345678901234567890}'])
  const [other] = await read('influx', ['m,host=d value=12345678901234567i 1700000000000000000'])
  assert.equal((other as Event).valueExact, '12345678901234567')
})

test('each field of the line protocol is an event, with the other tags in meta', async () => {
  const lines = [
    'weather,host=attic,room=roof temp=21.5,door="open" 1717243200123456789',
    'co2,host=attic value=500i',
  ]
  assert.deepEqual((await read('influx', lines)).map(shown), [
    ['attic', 'weather.temp', 21.5, null, '2024-06-01T12:00:00.123456Z', '{"room":"roof"}'],
    ['attic', 'weather.door', 'open', null, '2024-06-01T12:00:00.123456Z', '{"room":"roof"}'],
    'NO_TIME',
  ])
  const mapped = await read('influx', lines.slice(0, 1), { map: ['device_id={room}', 'event_type={_field}'] })
  assert.deepEqual(mapped.map(shown)[0], [
    ...[
      'roof',
      'temp',
      21.5,
      null,
      '2024-06-01T12:00:00.123456Z',
      '{"_measurement":"weather","host":"attic"}',
    ],
  ])
})

test('statistics of Home Assistant: the mean of a sensor, the state of a meter; and the download of its history', async () => {
  const statistics = await read('home-assistant', [
    'statistic_id,unit_of_measurement,start_ts,mean,min,max,state,sum',
    'sensor.attic,"°C",1717243200.0,21.5,20.9,22.25,,',
    'sensor.meter,kWh,1717243200.0,,,,1234.567,34.5',
  ])
  assert.deepEqual(statistics.map(shown), [
    ['home-assistant', 'sensor.attic', 21.5, '°C', '2024-06-01T12:00:00.000000Z', '{"min":20.9,"max":22.25}'],
    ['home-assistant', 'sensor.meter', 1234.567, 'kWh', '2024-06-01T12:00:00.000000Z', '{"sum":34.5}'],
  ])
  const history = await read('home-assistant', [
    'entity_id,state,last_changed',
    'sensor.attic,21.5,2024-06-01T12:00:00.123Z',
    'sensor.attic,unavailable,2024-06-01T12:01:00.000Z',
  ])
  assert.deepEqual(history.map(shown), [
    ['home-assistant', 'sensor.attic', 21.5, null, '2024-06-01T12:00:00.123000Z', null],
    ['home-assistant', 'sensor.attic', 'unavailable', null, '2024-06-01T12:01:00.000000Z', null],
  ])
})

test('a made id is the same for the same event, and another one for another value', async () => {
  const at = (value: string, time: string, type = 't') =>
    `{"device_id":"d","event_type":"${type}","value":${value},"time":${time}}`
  const ids = (
    await read('jsonl', [
      at('1', '"2024-06-01T12:00:00.5Z"'),
      at('1.0', '1717243200.5'),
      at('2', '1717243200.5'),
      at('"1"', '1717243200.5'),
      at('1', '1717243200.5', 'u'),
      at('1', '1717243200.500001'),
      at('1', '1717243200.5', 'x'.repeat(128)),
    ])
  ).map((event) => (event as Event).eventId)
  assert.match(ids[0] as string, /^d-t-1717243200\.500000\d{9}$/)
  assert.equal(ids[0], ids[1])
  assert.equal(new Set(ids).size, 6)
  assert.ok(ids.every((id) => id.length <= 128))
})
