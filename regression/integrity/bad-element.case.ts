import { type TestContext, test } from 'node:test'
import { DeviceClient } from '@qs-telemetry/device'
import { mosquittoMissing } from '@qs-telemetry/testing/mosquitto.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import { openEmbeddedStage } from './embedded-stage.ts'
import { goodItem, type Item } from './item.ts'
import { scale } from './scale.ts'
import type { Scene } from './scene.ts'
import { openStage } from './stage.ts'

const ARRAYS = scale(600, 90)
const ARRAY_EVENTS = 10
const DEVICE = 'broken'

/** Arrays of ten events as careless firmware makes them: their text, and the refused part of it. */
const ARRAYS_OF: Readonly<
  Record<string, (items: readonly Item[]) => { readonly text: string; readonly refused: readonly Item[] }>
> = {
  'a NaN': (items) => withLast(items, (last) => last.payload.replace(/}$/, ',"unit":NaN}')),
  'a truncated tail': (items) => {
    const { text, refused } = withLast(items, (last) => last.payload.slice(0, -1))
    return { text: text.slice(0, -1), refused }
  },
  'a trailing comma': (items) => ({ text: `[${items.map(({ payload }) => payload)},]`, refused: [] }),
}

test('embedded broker: an array with a bad element costs that element', async (t) => {
  const stage = await openEmbeddedStage(t, { fault: `embedded: a bad element in ${ARRAYS} arrays` })
  await prove(t, stage, `mqtt://127.0.0.1:${stage.port}`)
})

test('Mosquitto: an array with a bad element costs that element', { skip: mosquittoMissing }, async (t) => {
  const stage = await openStage(t, { fault: `Mosquitto: a bad element in ${ARRAYS} arrays` })
  await prove(t, stage, stage.broker.url)
})

async function prove(t: TestContext, stage: Scene, url: string): Promise<void> {
  const device = new DeviceClient({ url, deviceId: DEVICE, maxWaitingEvents: ARRAYS * ARRAY_EVENTS })
  t.after(() => device.close({ timeoutMs: 0 }))
  device.open()
  const kinds = Object.values(ARRAYS_OF)
  const acked = new Set<string>()
  for (let n = 0; n < ARRAYS; n++) {
    const items = Array.from({ length: ARRAY_EVENTS }, (_, k) => goodItem(DEVICE, n * ARRAY_EVENTS + k))
    const { text, refused } = (kinds[n % kinds.length] as (typeof kinds)[number])(items)
    for (const each of [...items.slice(0, ARRAY_EVENTS - refused.length), ...refused]) stage.sentBeside(each)
    device.sendRaw(text).then((acks) => {
      for (const { event_id: eventId, status } of acks) {
        stage.witness.acked({ deviceId: DEVICE, eventId, status })
        if (eventId !== null) acked.add(eventId)
      }
    })
  }
  await until(() => acked.size === ARRAYS * ARRAY_EVENTS, 'each element has a device ack with its id', 60_000)
  await stage.more(300)
  await stage.finish()
}

/** The array with its last element spoilt. */
function withLast(items: readonly Item[], spoil: (last: Item) => string) {
  const last = items.at(-1) as Item
  const payload = spoil(last)
  const text = `[${[...items.slice(0, -1).map((each) => each.payload), payload]}]`
  return { text, refused: [{ ...last, payload, fate: 'rejected' as const }] }
}
