import { findSettings, parseConfig } from '../../packages/qs/src/config/load.ts'
import type { Config } from '../../packages/qs/src/config/settings.ts'
import { Broker } from './broker.ts'
import type { Database } from './database.ts'
import { Device } from './device.ts'
import { DirectFront } from './direct-front.ts'
import type { Network } from './fault-director.ts'
import { Ingester } from './ingester.ts'
import type { Inhabitant } from './people-world.ts'
import type { Random } from './random.ts'
import { readAcks } from './read-acks.ts'
import { RetainedWorld } from './retained-world.ts'
import { SourceFront } from './source-front.ts'
import { TrustingDevice } from './trusting-device.ts'
import { makeItems } from './workload.ts'
import type { World } from './world.ts'

/** How many of the worlds with `qs up` have retained messages. */
const HAS_RETAINED = 0.3

/** Everything around the database. */
export interface Cast {
  readonly network: Network
  readonly ingesters: readonly [Ingester, ...Ingester[]]
  /** What else must hold once all is quiet. */
  judge(): void
  /** Nothing is under way between devices and pipeline. */
  isIdle(): boolean
  makeDevice(id: string): Inhabitant
}

/** `qs ingest`: a broker, one or two ingesters, and devices that keep each event until its device ack. */
export function castWithBroker(world: World, database: Database): Cast {
  const { timeline, random, faults } = world
  const devices = new Map<string, Device>()
  const onPublish = (topic: string, payload: string) => {
    if (faults.isOn && random.chance(faults.ackLoss)) return
    const deviceId = /^qs\/v1\/(.+)\/acks$/.exec(topic)?.[1]
    if (deviceId === undefined) return
    for (const ack of readAcks(deviceId, payload)) devices.get(deviceId)?.acked(ack)
  }
  const manners = { speaksMqtt5: random.chance(0.8), overshoots: random.chance(0.5) }
  const broker = new Broker(world, manners, onPublish)
  const front = new SourceFront(world, broker)
  const settings = chooseSettings(random)
  const ingester = (name: string) =>
    new Ingester(world, { config: configOf({ ...settings, MQTT_CLIENT_ID: name }), front, database })
  return {
    network: broker,
    ingesters: random.chance(0.25) ? [ingester('one'), ingester('two')] : [ingester('one')],
    judge: () => {},
    isIdle: () => broker.isIdle,
    makeDevice: (id) => {
      const device = new Device(world, {
        id,
        qos: random.chance(0.15) ? 0 : 1,
        maxArray: random.pick([1, 4, 20]),
        publish: (message) => broker.take(message),
      })
      devices.set(id, device)
      const again = () => {
        device.send()
        timeline.after(200 + random.next() * 1_000, again)
      }
      timeline.after(random.next() * 1_000, again)
      return device
    },
  }
}

/** `qs up`: devices that trust the PUBACK. */
export function castDirect(world: World, database: Database): Cast {
  const { random } = world
  const front = new DirectFront(world)
  const config = configOf({ ...chooseSettings(random), MQTT_CLIENT_ID: 'one' })
  const retained = random.chance(HAS_RETAINED)
    ? new RetainedWorld(world, front.retained, (end) => front.connect(end, null))
    : null
  return {
    network: front,
    ingesters: [new Ingester(world, { config, front, database })],
    judge: () => front.wills.judge(),
    isIdle: () => retained?.isDone ?? true,
    makeDevice: (id) => {
      const hasWills = random.chance(0.5)
      return new TrustingDevice(world, {
        id,
        qos: random.pick([0, 1, 1, 1, 2, 2]),
        version: random.pick([4, 5]),
        isLasting: random.chance(0.5),
        listens: random.chance(0.3),
        maxArray: random.pick([1, 4, 20]),
        maxInFlight: random.pick([1, 4, 50]),
        connect: (end, will) => front.connect(end, will),
        willOf: (n) => (hasWills ? (makeItems(random, id, `${id}-will-${n}`, 0)[0] ?? null) : null),
      })
    },
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
