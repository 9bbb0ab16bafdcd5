import { setTimeout as delay } from 'node:timers/promises'
import { MqttLoad } from '../../bench/load/mqtt-load.ts'

/** Makes the nth payload of a flood, all of which comes from the device `flood`. */
export type MakePayload = (n: number) => string

export const FLOOD_DEVICE = 'flood'
const CHUNK_BYTES = 60_000

/** An event with an id unique to its flood. */
export const floodEvent = (flood: string, n: number, members = '"value":1') =>
  `{"schema":1,"event_id":"${FLOOD_DEVICE}-${flood}-${n}","device_id":"${FLOOD_DEVICE}","event_type":"t",${members}}`

/** The payloads of each flood. */
export const FLOODS: Readonly<Record<string, MakePayload>> = {
  'arrays of zeros': () => `[${'0,'.repeat(999)}0]`,
  'single events': (n) => floodEvent('single', n),
  'arrays of 1,000 events': (n) =>
    `[${Array.from({ length: 1_000 }, (_, k) => floodEvent('array', n * 1_000 + k)).join(',')}]`,
  'arrays of 1,000 refused events': (n) =>
    `[${Array.from({ length: 1_000 }, (_, k) => floodEvent('refused', n * 1_000 + k, '"value":[]')).join(',')}]`,
  'events of 48 KB': (n) =>
    floodEvent('large', n, `"value":"${'x'.repeat(16_000)}","meta":{"m":"${'y'.repeat(31_000)}"}`),
  'arrays of 100 KB': (n) => {
    const meta = `"meta":{"m":"${'y'.repeat(30_000)}"}`
    return `[${[0, 1, 2].map((k) => floodEvent('larger', n * 3 + k, meta)).join(',')}]`
  },
  'invalid JSON': () => 'x'.repeat(256 * 1024 - 1),
}

/** Publishes at the given rate, or as fast as the broker reads, and ignores PUBACKs. */
export async function flood(
  { port, ms }: { readonly port: number; readonly ms: number },
  make: MakePayload,
  maxBytesPerSecond = Number.POSITIVE_INFINITY,
): Promise<number> {
  let hasEnded = false
  const load = await MqttLoad.connect({ port, clientId: 'flooder', onLost: () => (hasEnded = true) })
  await load.subscribe(`qs/v1/${FLOOD_DEVICE}/acks`)
  const startMs = performance.now()
  let [bytes, messages] = [0, 0]
  const elapsedMs = () => performance.now() - startMs
  while (!hasEnded && elapsedMs() < ms) {
    for (let chunk = 0; chunk < CHUNK_BYTES && bytes <= (elapsedMs() / 1000) * maxBytesPerSecond; ) {
      const payload = make(messages++)
      load.publish(`qs/v1/${FLOOD_DEVICE}/events`, payload)
      chunk += payload.length
      bytes += payload.length
    }
    load.flush()
    const drained = new Promise<void>((resolve) => load.onceDrained(resolve))
    await Promise.race([drained, delay(Math.max(1, ms - elapsedMs()))])
    await delay(1)
  }
  load.close()
  return bytes
}
