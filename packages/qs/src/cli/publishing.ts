import { DeviceClient, type DeviceError } from '@qs-telemetry/device'
import { type DeviceAck, WARNING_CODES } from '@qs-telemetry/protocol'
import pc from 'picocolors'
import type { Config } from '../config/settings.ts'
import { brokerError } from '../endpoints/broker-error.ts'
import { brokerOptions, topicOptions } from '../endpoints/broker-options.ts'
import { findMqttUrl } from '../endpoints/endpoints.ts'
import { QsError } from '../errors/qs-error.ts'
import { reasonOf } from '../errors/reason-of.ts'
import { counted } from '../telemetry/counted.ts'
import { progress } from './progress.ts'
import type { EventOptions, InputEvent } from './publish-input.ts'

export interface PublishOptions extends EventOptions {
  /** Seconds without any device ack. */
  readonly timeout: number
  readonly json?: true
}

export interface PublishResult {
  readonly stored: number
  readonly duplicate: number
  readonly rejected: number
  readonly unanswered: number
}

/** Up to this many events are listed one by one. */
const FEW = 10
/** Each device has its own connection. */
const MAX_DEVICES = 200

/** One run of `qs publish`: one client per device, opened at its first event. */
export class Publishing {
  readonly #config: Config
  readonly #options: PublishOptions
  readonly #clients = new Map<string, DeviceClient>()
  readonly #counts = { stored: 0, duplicate: 0, rejected: 0 }
  readonly #few: DeviceAck[] = []
  /** Number of events stored differently from how they were sent, by warning code. */
  readonly #warned = new Map<string, number>()
  readonly #bar = progress('publishing')
  #taken = 0
  #answered = 0
  #lastAnswerMs = performance.now()

  constructor(config: Config, options: PublishOptions) {
    this.#config = config
    this.#options = options
  }

  /** @throws QsError if the broker cannot be reached or no device ack comes */
  async run(events: AsyncIterable<InputEvent>): Promise<PublishResult> {
    const { timeout } = this.#options
    let giveUp: (error: Error) => void = () => {}
    const givenUp = new Promise<never>((_, reject) => {
      giveUp = reject
    })
    const watch = setInterval(() => {
      this.#bar.update(this.#answered, this.#taken)
      const isLate = this.#answered < this.#taken && performance.now() - this.#lastAnswerMs > timeout * 1000
      if (isLate) giveUp(this.#noAnswer())
    }, 100)
    try {
      await Promise.race([this.#publishAll(events), givenUp])
    } finally {
      clearInterval(watch)
      this.#bar.stop()
      await Promise.all([...this.#clients.values()].map((client) => client.close({ timeoutMs: 0 })))
    }
    if (this.#taken === 0) throw new QsError('INVALID_INPUT', 'Nothing to publish: the input has no events')
    this.#report()
    return { ...this.#counts, unanswered: this.#taken - this.#answered }
  }

  async #publishAll(events: AsyncIterable<InputEvent>): Promise<void> {
    for await (const event of events) {
      const client = await this.#clientOf(event.deviceId)
      await client.ready()
      if (this.#answered === this.#taken) this.#lastAnswerMs = performance.now()
      this.#taken++
      // The ingester judges events; only an event that cannot even be sent fails here.
      client.sendText(event.json).then(
        (deviceAck) => this.#onAnswer(deviceAck),
        ({ code, message }: DeviceError) => {
          const eventId = typeof event.eventId === 'string' ? event.eventId : null
          this.#onAnswer({ event_id: eventId, status: 'rejected', error: { code, message } })
        },
      )
    }
    await Promise.all([...this.#clients.values()].map((client) => client.flush()))
  }

  async #clientOf(deviceId: unknown): Promise<DeviceClient> {
    if (typeof deviceId !== 'string')
      throw new QsError('INVALID_INPUT', 'An event has no device_id. Add one, or use --device')
    const known = this.#clients.get(deviceId)
    if (known !== undefined) return known
    if (this.#clients.size === MAX_DEVICES)
      throw new QsError('TOO_MANY_DEVICES', `The input has events of more than ${MAX_DEVICES} devices`)
    const client = this.#createClient(deviceId)
    this.#clients.set(deviceId, client)
    client.open()
    try {
      await client.connected({ timeoutMs: this.#options.timeout * 1000 })
    } catch (error) {
      throw brokerError(findMqttUrl(this.#config), error)
    }
    return client
  }

  #createClient(deviceId: string): DeviceClient {
    try {
      return new DeviceClient({
        ...brokerOptions(this.#config),
        ...topicOptions(this.#config),
        deviceId,
        resendAfterMs: Math.max(2_000, (this.#options.timeout * 1000) / 3),
      })
    } catch (error) {
      throw new QsError('INVALID_DEVICE_ID', reasonOf(error), { cause: error })
    }
  }

  #onAnswer(deviceAck: DeviceAck): void {
    this.#counts[deviceAck.status]++
    this.#answered++
    this.#lastAnswerMs = performance.now()
    const code = deviceAck.warning?.code
    if (code !== undefined) this.#warned.set(code, (this.#warned.get(code) ?? 0) + 1)
    if (this.#options.json) console.log(JSON.stringify(deviceAck))
    else if (this.#few.length < FEW || deviceAck.status === 'rejected') this.#few.push(deviceAck)
  }

  #report(): void {
    if (this.#options.json) return
    const { stored, duplicate, rejected } = this.#counts
    const shown =
      this.#taken <= FEW ? this.#few : this.#few.filter(({ status }) => status === 'rejected').slice(0, FEW)
    for (const deviceAck of shown) console.log(line(deviceAck))
    if (this.#taken > FEW) console.log(`${stored} stored, ${duplicate} duplicate, ${rejected} rejected`)
    for (const [code, count] of this.#warned) console.log(explain(code, count))
  }

  #noAnswer(): QsError {
    const waiting = counted(this.#taken - this.#answered, 'event')
    const problem = `No device ack for ${this.#options.timeout} seconds (${waiting} without one)`
    return new QsError('NO_DEVICE_ACK', problem)
  }
}

/** What a warning means and what to do about it; printed once per code. */
function explain(code: string, count: number): string {
  const meaning = Object.hasOwn(WARNING_CODES, code) ? WARNING_CODES[code as keyof typeof WARNING_CODES] : ''
  const which = count === 1 ? '1 event is stored' : `${count} events are stored`
  return `${pc.yellow('warning')}   ${which} with changes (${code}). ${meaning}`.trimEnd()
}

const COLOURS = { stored: pc.green, duplicate: pc.yellow, rejected: pc.red }

function line({ event_id: eventId, status, error, warning }: DeviceAck): string {
  const reason = error ?? warning
  return `${COLOURS[status](status.padEnd(9))} ${eventId ?? '(unreadable)'}${reason ? `  ${reason.code}: ${reason.message}` : ''}`
}
