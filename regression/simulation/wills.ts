import type { DirectIntake } from '../../packages/qs/src/intake/direct-intake.ts'
import type { Item } from './workload.ts'
import type { World } from './world.ts'

/** A DISCONNECT without a reason, of any version, as a device sends it last. */
export const GOODBYE = Buffer.from([0xe0, 0])

/** What devices leave as their wills, seen from outside of `qs up`. */
export class Wills {
  readonly #world: World
  readonly #left = new Set<Item>()
  /** Their connections ended without a goodbye, in any process. */
  readonly #due = new Set<Item>()
  /** Of the current process. */
  #ofProcess: Item[] = []
  #intake: Pick<DirectIntake, 'status'> | null = null

  constructor(world: World) {
    this.#world = world
  }

  /** A process begins; what an earlier one has not stored is gone with it. */
  begin(intake: Pick<DirectIntake, 'status'>): void {
    this.#intake = intake
    this.#ofProcess = []
  }

  left(will: Item): void {
    this.#left.add(will)
    this.#world.checker.willed(will)
  }

  /** [MQTT-3.1.2-8] */
  due(will: Item): void {
    this.#due.add(will)
    this.#ofProcess.push(will)
  }

  /** Call it once all is quiet. */
  judge(): void {
    const { checker } = this.#world
    const isStored = ({ deviceId, payload }: Item) => checker.isKept(deviceId, payload)
    for (const will of this.#left) {
      if (isStored(will) && !this.#due.has(will))
        checker.violations.push(`a will is stored that nobody had to publish: ${will.payload}`)
    }
    const missing = this.#ofProcess.filter((will) => !isStored(will))
    const dropped = this.#intake?.status.willsDropped?.count ?? 0
    if (missing.length !== dropped) {
      const [first] = missing
      checker.violations.push(
        `${missing.length} wills are not stored, ${dropped} are counted; the first: ${first?.payload}`,
      )
    }
  }
}
