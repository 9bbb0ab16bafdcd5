import { findSettings, parseConfig } from '../../packages/qs/src/config/load.ts'
import type { Config } from '../../packages/qs/src/config/settings.ts'
import { type Ack, Checker } from '../checker.ts'
import { Broker } from './broker.ts'
import { Database } from './database.ts'
import { Device } from './device.ts'
import { directFaults, heal, type Stage } from './fault-director.ts'
import { chooseFaults } from './faults.ts'
import { EPOCH_MS, Ingester } from './ingester.ts'
import { Random } from './random.ts'
import { Timeline } from './timeline.ts'
import { makeItems } from './workload.ts'
import type { World } from './world.ts'

export interface SeedResult {
  readonly seed: number
  /** Empty if every promise held. */
  readonly violations: readonly string[]
  readonly simulatedMs: number
  readonly steps: number
  readonly tally: Checker['tally']
  /** Must be the same for the same seed, or the run is not reproducible. */
  readonly digest: string
}

/** Everything must be stored and acked this long after the last fault: more than twice the sink's longest timeout. */
const QUIET_WITHIN_MS = 600_000

/**
 * Runs one simulated world from its first message to the last ack. Everything follows from the seed.
 *
 * @param onStory called with a line of text for each step that matters; does not change the run
 */
export async function runSeed(
  seed: number,
  onStory: ((line: string) => void) | null = null,
): Promise<SeedResult> {
  const random = new Random(seed)
  const timeline = new Timeline()
  const checker = new Checker()
  const faults = chooseFaults(random)
  const tell =
    onStory &&
    ((who: string, what: string) => onStory(`${timeline.nowMs.toFixed(1).padStart(9)} ms  ${who}: ${what}`))
  const world: World = { timeline, random, faults, checker, tell }

  const devices = new Map<string, Device>()
  const onPublish = (topic: string, payload: string) => {
    if (faults.isOn && random.chance(faults.ackLoss)) return
    const deviceId = /^qs\/v1\/(.+)\/acks$/.exec(topic)?.[1]
    if (deviceId === undefined) return
    for (const ack of readAcks(deviceId, payload)) devices.get(deviceId)?.acked(ack)
  }
  const manners = { speaksMqtt5: random.chance(0.8), overshoots: random.chance(0.5) }
  const broker = new Broker(world, manners, onPublish)
  const minute = () => new Date(EPOCH_MS + timeline.nowMs).toISOString().slice(0, 16)
  const database = new Database(world, minute)
  const settings = chooseSettings(random)
  const ingester = (name: string) =>
    new Ingester(world, { config: configOf({ ...settings, MQTT_CLIENT_ID: name }), broker, database })
  const ingesters: Stage['ingesters'] = random.chance(0.25)
    ? [ingester('one'), ingester('two')]
    : [ingester('one')]
  for (const each of ingesters) each.start()

  const durationMs = random.between(2_000, 12_000)
  const stage = { broker, database, ingesters }
  peopleWorld(world, devices, broker, durationMs)
  directFaults(world, stage)
  timeline.after(durationMs, () => heal(world, stage))

  const onRejection = (error: unknown) => checker.violations.push(`unhandled rejection: ${error}`)
  process.on('unhandledRejection', onRejection)
  const isQuiet = () =>
    !faults.isOn &&
    broker.isIdle &&
    ingesters.every((each) => each.isIdle) &&
    [...devices.values()].every((device) => device.isDone)
  const isOver = () => {
    for (const each of ingesters) each.checkBounds()
    return checker.violations.length > 0 || isQuiet()
  }
  await timeline.run(isOver, durationMs + QUIET_WITHIN_MS)
  if (checker.violations.length === 0) {
    if (!isQuiet()) checker.violations.push(`not quiet ${QUIET_WITHIN_MS / 1000} s after the last fault`)
    checker.quiet()
  }
  process.off('unhandledRejection', onRejection)
  for (const violation of checker.violations) tell?.('VIOLATED', violation)
  return {
    seed,
    violations: checker.violations,
    simulatedMs: timeline.nowMs,
    steps: timeline.steps,
    tally: checker.tally,
    digest: `${timeline.steps} ${timeline.nowMs} ${random.next()}`,
  }
}

function peopleWorld(world: World, devices: Map<string, Device>, broker: Broker, durationMs: number): void {
  const { timeline, random } = world
  const badness = random.pick([0, 0.1, 0.5])
  const perDevice = random.pick([3, 8, 25])
  const sharesIds = random.chance(0.2)
  for (let n = random.between(1, 4); n > 0; n--) {
    const device = new Device(world, {
      id: `d${n}`,
      qos: random.chance(0.15) ? 0 : 1,
      maxArray: random.pick([1, 4, 20]),
      publish: (message) => broker.take(message),
    })
    devices.set(device.id, device)
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
    const again = () => {
      device.send()
      timeline.after(200 + random.next() * 1_000, again)
    }
    timeline.after(random.next() * 1_000, again)
  }
}

function chooseSettings(random: Random): Readonly<Record<string, string>> {
  return {
    IN_FLIGHT_MESSAGES: random.pick(['2', '10', '100']),
    IN_FLIGHT_BYTES: random.pick(['1KiB', '16KiB']),
    BATCH_BYTES: random.pick(['1', '1KiB', '1MiB']),
    DATABASE_WRITERS: random.pick(['1', '2', '3']),
    DATABASE_TIMEOUT: random.pick(['1s', '3s']),
    MQTT_KEEP_ALIVE: random.pick(['1s', '4s']),
    ACK_QOS: random.pick(['0', '1']),
    // The checker expects every dead letter; floods that are only counted have tests of their own.
    DEAD_LETTER_RATE: '1000000',
    DEAD_LETTER_BYTES: '1GiB',
  }
}

const configs = new Map<string, Config>()

function configOf(variables: Readonly<Record<string, string>>): Config {
  const key = JSON.stringify(variables)
  const config = configs.get(key) ?? parseConfig(findSettings(variables, {}))
  configs.set(key, config)
  return config
}

function readAcks(deviceId: string, payload: string): readonly Ack[] {
  const parsed = JSON.parse(payload) as AckJson | readonly AckJson[]
  return [parsed].flat().map(({ event_id, status }) => ({ deviceId, eventId: event_id, status }))
}

interface AckJson {
  readonly event_id: string | null
  readonly status: Ack['status']
}
