import type { TestContext } from 'node:test'
import { listen } from '@qs-telemetry/testing/pipeline.ts'
import { until } from '@qs-telemetry/testing/until.ts'

/** Publishes each array once more with its events in opposite order, until this many events were mirrored. */
export async function mirrorInReverse(t: TestContext, brokerUrl: string, events: number): Promise<void> {
  const { client: mirror } = await listen(t, brokerUrl)
  const seen = new Set<string>()
  let mirrored = 0
  mirror.on('message', (topic, payload) => {
    if (!topic.endsWith('/events')) return
    const elements = JSON.parse(payload.toString()) as readonly { readonly event_id: string }[]
    const first = elements.map(({ event_id: id }) => id).sort()[0] as string
    if (seen.has(first)) return
    seen.add(first)
    mirrored += elements.length
    mirror.publish(topic, JSON.stringify([...elements].reverse()), { qos: 1 })
  })
  await mirror.subscribeAsync('qs/v1/+/events', { qos: 1 })
  await until(() => mirrored >= events, `${events} events are mirrored`, 120_000)
}
