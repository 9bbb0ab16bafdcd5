import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { leash } from '@qs-telemetry/testing/leash.ts'
import type { Confirmations } from './confirmations.ts'

/** Printed for each message, with a line feed. */
const MARK = 'x'

/** Counts events that have reached a subscriber in C with a durable session and QoS 1 (`mosquitto_sub`). */
export class DeliveredCount implements Confirmations {
  readonly #process: ChildProcess
  #expected = 0
  #bytes = 0
  #onProgress: () => void = () => {}

  private constructor(process: ChildProcess) {
    this.#process = process
    process.stdout?.on('data', (chunk: Buffer) => {
      this.#bytes += chunk.length
      this.#onProgress()
    })
  }

  /** @throws if mosquitto_sub is not installed or is refused */
  static start(port: number): DeliveredCount {
    const args = ['-p', String(port), '-i', 'bench-subscriber', '-c', '-q', '1', '-t', 'qs/v1/+/events']
    // Subscribes and disconnects: from now on the session keeps every message.
    const { error, status, stderr } = spawnSync('mosquitto_sub', [...args, '-E'], { encoding: 'utf8' })
    if (error || status !== 0) throw new Error(`mosquitto_sub does not run: ${error?.message ?? stderr}`)
    const options = ['-F', MARK]
    const child = spawn('mosquitto_sub', [...args, ...options], { stdio: ['ignore', 'pipe', 'inherit'] })
    leash(child)
    return new DeliveredCount(child)
  }

  /** Calls back whenever more has arrived. */
  follow(onProgress: () => void): this {
    this.#onProgress = onProgress
    return this
  }

  get pid(): number {
    return this.#process.pid ?? -1
  }

  /** Messages; this is for single events only. */
  get confirmed(): number {
    return Math.floor(this.#bytes / (MARK.length + 1))
  }

  expect(): void {
    this.#expected++
  }

  faults(): readonly string[] {
    const missing = this.#expected - this.confirmed
    return missing === 0 ? [] : [`the subscriber has ${this.confirmed} of ${this.#expected} messages`]
  }

  stop(): void {
    this.#process.kill('SIGTERM')
  }
}
