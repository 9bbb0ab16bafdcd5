import { contentOf, type Sent } from '../checker.ts'
import type { Random } from './random.ts'
import { POISON_TYPE } from './statements.ts'

/** Something that a device sends, and the id that its device ack will name. */
export interface Item extends Sent {
  readonly ackId: string | null
  /** Whether it can be part of an array; what is not JSON cannot. */
  readonly isElement: boolean
}

type Maker = (random: Random, deviceId: string, id: string) => readonly Item[]

const TIMES = [
  '2026-01-15T12:00:00.000001Z',
  '1970-01-01T00:00:09.000000Z',
  '2099-12-31T23:59:59.999999Z',
] as const

/** Most are good, as in real life; some share an id with different content, some can never be stored. */
export function makeItems(random: Random, deviceId: string, id: string, badness: number): readonly Item[] {
  if (!random.chance(badness)) return GOOD(random, deviceId, id)
  return random.pick([TWINS, TWINS, INVALID, POISON, GARBAGE])(random, deviceId, id)
}

const GOOD: Maker = (random, deviceId, id) => [event(random, deviceId, id, 'stored')]

const TWINS: Maker = (random, deviceId, id) => [
  event(random, deviceId, id, 'either', { value: 1 }),
  event(random, deviceId, id, 'either', { value: 2 }),
]

const POISON: Maker = (random, deviceId, id) => [
  event(random, deviceId, id, 'rejected', { event_type: POISON_TYPE }),
]

const INVALID: Maker = (random, deviceId, id) => {
  const good = { schema: 1, event_id: id, device_id: deviceId, event_type: 't' }
  const [json, ackId] = random.pick<[unknown, string | null]>([
    [{ ...good, schema: 2 }, id],
    [{ ...good, device_id: 'another' }, id],
    [{ ...good, value: [1] }, id],
    [{ ...good, event_id: Number(id.replace(/\D/g, '')) }, null],
    [[id], null],
  ])
  // NaN is not JSON: it costs only its own element, even though it makes the whole array unreadable as JSON.
  if (random.chance(0.2)) {
    const payload = JSON.stringify({ ...good, value: 0 }).replace('"value":0', '"value":NaN')
    return [{ deviceId, payload, event: null, fate: 'rejected', ackId: id, isElement: true }]
  }
  const payload = JSON.stringify(json)
  // An array within an array is an invalid element; alone it would be a message of one text.
  const isArray = Array.isArray(json)
  const alone = isArray ? JSON.stringify(id) : payload
  return [{ deviceId, payload: alone, event: null, fate: 'rejected', ackId, isElement: true }]
}

const GARBAGE: Maker = (random, deviceId, id) => {
  // The device ack names the id that can be read.
  const [payload, ackId] = random.pick<[string, string | null]>([
    [`{"event_id":"${id}"`, id],
    [`{"event_id":"${id}"]`, id],
    [`${id} is 21.5`, null],
    [`[1,"${id}"]`, null],
    [`["${id}",NaN,]`, null],
  ])
  return [{ deviceId, payload, event: null, fate: 'rejected', ackId, isElement: false }]
}

function event(
  random: Random,
  deviceId: string,
  id: string,
  fate: Sent['fate'],
  given: Readonly<Record<string, unknown>> = {},
): Item {
  const value = random.pick<unknown>([random.below(1000) / 8, `text ${random.below(9)}`, true, null, -0])
  const fields = {
    schema: 1,
    event_id: id,
    device_id: deviceId,
    event_type: random.pick(['temp', 'door', 'boot']),
    value,
    ...(random.chance(0.3) && { unit: '°C' }),
    ...(random.chance(0.3) && { ts_device: random.pick(TIMES) }),
    ...(random.chance(0.3) && { meta: { b: [1, { c: null }], a: random.below(5) } }),
    ...given,
  }
  const sent = fields.value
  const content = contentOf({
    deviceId,
    eventType: fields.event_type,
    valueNum: typeof sent === 'number' ? sent : typeof sent === 'boolean' ? Number(sent) : null,
    valueText: typeof sent === 'string' ? sent : null,
    unit: fields.unit ?? null,
    tsDevice: fields.ts_device ?? null,
    meta: fields.meta ?? null,
  })
  return {
    deviceId,
    payload: JSON.stringify(fields),
    event: { id, content },
    fate,
    ackId: id,
    isElement: true,
  }
}
