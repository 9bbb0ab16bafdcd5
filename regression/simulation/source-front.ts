import type { Duplex } from 'node:stream'
import { QsError } from '../../packages/qs/src/errors/qs-error.ts'
import type { SocketOptions } from '../../packages/qs/src/source/open-socket.ts'
import type { Broker } from './broker.ts'
import type { Entrance, Front, Host } from './front.ts'
import { MAX_CHUNK_BYTES } from './pipe.ts'
import type { World } from './world.ts'

/** Every simulated message is longer, with topic and header. */
const MIN_MESSAGE_BYTES = 40
/** Bytes read at once when the high watermark was reached, and bytes that came with CONNACK before that. */
const EXTRA_BYTES = 2 * MAX_CHUNK_BYTES

/** `qs ingest`: messages come from a broker. */
export class SourceFront implements Front {
  readonly #world: World
  readonly #broker: Broker

  constructor(world: World, broker: Broker) {
    this.#world = world
    this.#broker = broker
  }

  begin({ clock, opened }: Host): Entrance {
    const broker = this.#broker
    const { random, faults } = this.#world
    const openSocket = ({ timeoutMs, signal }: SocketOptions) =>
      new Promise<Duplex>((resolve, reject) => {
        const fail = (reason: string) => reject(new QsError('BROKER_UNREACHABLE', `No connection: ${reason}`))
        const onAbort = () => fail('stopped')
        signal.addEventListener('abort', onAbort)
        if (signal.aborted) return fail('stopped')
        clock.after(broker.isAway && random.chance(0.5) ? timeoutMs : faults.latencyMs, () => {
          if (signal.aborted) return
          signal.removeEventListener('abort', onAbort)
          const socket = broker.connect()
          if (socket === null) return fail('no broker')
          opened.add(socket)
          resolve(socket)
        })
      })
    return {
      openSocket,
      bound: () => ({ messages: EXTRA_BYTES / MIN_MESSAGE_BYTES, bytes: broker.largestBytes + EXTRA_BYTES }),
      open: () => {},
      shut: () => {},
      stop: () => {},
    }
  }
}
