import { type Item, makeItems } from './workload.ts'
import type { World } from './world.ts'

/** A device, however it sends. */
export interface Inhabitant {
  readonly id: string
  /** Everything of it is acknowledged. */
  readonly isDone: boolean
  want(items: readonly Item[]): void
}

/** Makes the devices, and what they want to send until `durationMs`. */
export function peopleWorld(
  { timeline, random }: World,
  durationMs: number,
  makeDevice: (id: string) => Inhabitant,
): readonly Inhabitant[] {
  const badness = random.pick([0, 0.1, 0.5])
  const perDevice = random.pick([3, 8, 25])
  const sharesIds = random.chance(0.2)
  const devices: Inhabitant[] = []
  for (let n = random.between(1, 4); n > 0; n--) {
    const device = makeDevice(`d${n}`)
    devices.push(device)
    for (let made = 0; made < perDevice; made++) {
      // Two devices that use the same ids: a conflict between strangers.
      const isShared = sharesIds && made < 3
      const items = isShared
        ? makeItems(random, device.id, `shared-${made}`, 0).map((item) => ({
            ...item,
            fate: 'either' as const,
          }))
        : makeItems(random, device.id, `${device.id}-${made}`, badness)
      timeline.after(random.next() * durationMs, () => device.want(items))
    }
  }
  return devices
}
