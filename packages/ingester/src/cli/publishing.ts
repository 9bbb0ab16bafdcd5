import { DeviceClient, type DeviceError, type OutgoingEvent } from '@qs-telemetry/device'
import type { DeviceAck } from '@qs-telemetry/protocol'
import pc from 'picocolors'
import type { Config } from '../config/settings.ts'
import { brokerOptions, topicOptions } from './broker-options.ts'
import { CliError, WRONG_USAGE } from './exit.ts'
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

/** Up to so many events are reported one by one. */
const FEW = 10
/** A device has a connection of its own. */
const MAX_DEVICES = 200

/** One run of `qs publish`: a client for each device that occurs, opened when it does. */
export class Publishing {
  readonly #config: Config
  readonly #options: PublishOptions
  readonly #clients = new Map<string, DeviceClient>()
  readonly #counts = { stored: 0, duplicate: 0, rejected: 0 }
  readonly #few: DeviceAck[] = []
  readonly #bar = progress('publishing')
  #taken = 0
  #answered = 0
  #lastAnswerMs = performance.now()

  constructor(config: Config, options: PublishOptions) {
    this.#config = config
    this.#options = options
  }

  /** @throws CliError where the broker is not reached or no device ack comes */
  async run(events: AsyncIterable<InputEvent>): Promise<PublishResult> {
    const { timeout } = this.#options
    let giveUp: (error: Error) => void = () => {}
    const givenUp = new Promise<never>((_, reject) => {
      giveUp = reject
    })
    const watch = setInterval(() => {
      this.#bar.update(this.#answered, this.#taken)
      const isLate = this.#answered < this.#taken && performance.now() - this.#lastAnswerMs > timeout * 1000
      if (isLate) giveUp(new CliError(this.#noAnswer()))
    }, 100)
    try {
      await Promise.race([this.#publishAll(events), givenUp])
    } finally {
      clearInterval(watch)
      this.#bar.stop()
      await Promise.all([...this.#clients.values()].map((client) => client.close({ timeoutMs: 0 })))
    }
    if (this.#taken === 0) throw new CliError('Nothing to publish: there is no event in it.', WRONG_USAGE)
    this.#report()
    return { ...this.#counts, unanswered: this.#taken - this.#answered }
  }

  async #publishAll(events: AsyncIterable<InputEvent>): Promise<void> {
    for await (const event of events) {
      const client = await this.#clientOf(event.device_id)
      await client.ready()
      if (this.#answered === this.#taken) this.#lastAnswerMs = performance.now()
      this.#taken++
      // What is wrong with it the ingester says best; here only what could not even be sent.
      client.send(event as OutgoingEvent).then(
        (deviceAck) => this.#onAnswer(deviceAck),
        ({ code, message }: DeviceError) => {
          const eventId = typeof event.event_id === 'string' ? event.event_id : null
          this.#onAnswer({ event_id: eventId, status: 'rejected', error: { code, message } })
        },
      )
    }
    await Promise.all([...this.#clients.values()].map((client) => client.flush()))
  }

  async #clientOf(deviceId: unknown): Promise<DeviceClient> {
    if (typeof deviceId !== 'string')
      throw new CliError('An event has no device_id. Give it one, or use --device', WRONG_USAGE)
    const known = this.#clients.get(deviceId)
    if (known !== undefined) return known
    if (this.#clients.size === MAX_DEVICES)
      throw new CliError(`Events of more than ${MAX_DEVICES} devices; publish them in parts`)
    const client = this.#createClient(deviceId)
    this.#clients.set(deviceId, client)
    client.open()
    try {
      await client.connected({ timeoutMs: this.#options.timeout * 1000 })
    } catch (error) {
      throw new CliError(
        `${(error as Error).message}. Is it running? qs up starts one; MQTT_URL names another.`,
      )
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
      throw new CliError((error as Error).message, WRONG_USAGE)
    }
  }

  #onAnswer(deviceAck: DeviceAck): void {
    this.#counts[deviceAck.status]++
    this.#answered++
    this.#lastAnswerMs = performance.now()
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
  }

  #noAnswer(): string {
    return `No device ack for ${this.#options.timeout} seconds (${this.#taken - this.#answered} events without one). Is an ingester running, with the same topics? They are not lost to you: publish them again, that is harmless.`
  }
}

const COLOURS = { stored: pc.green, duplicate: pc.yellow, rejected: pc.red }

function line({ event_id: eventId, status, error, warning }: DeviceAck): string {
  const reason = error ?? warning
  return `${COLOURS[status](status.padEnd(9))} ${eventId ?? '(unreadable)'}${reason ? `  ${reason.code}: ${reason.message}` : ''}`
}
