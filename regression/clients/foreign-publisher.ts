import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { resolve } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import type { ForeignClient } from './foreign-clients.ts'

export interface PublisherOptions {
  readonly client: ForeignClient
  /** Where its program is built. */
  readonly directory: string
  readonly port: number
  readonly level: 4 | 5
  readonly qos: 0 | 1 | 2
}

/** A running program of a foreign client: it publishes events and prints the id of each that is confirmed. */
export class ForeignPublisher {
  readonly options: PublisherOptions
  readonly deviceId: string
  readonly confirmed = new Set<string>()
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>
  #rest = ''
  #errors = ''
  #sent: number | null = null

  constructor(options: PublisherOptions) {
    this.options = options
    const { client, directory, port, level, qos } = options
    this.deviceId = `${client.folder}-${client.version}-${level}-${qos}`.replaceAll('.', '_')
    const [program, ...args] = client.run
    const place = program.includes('/') ? resolve(directory, program) : program
    this.#child = spawn(place, [...args, String(port), String(level), String(qos), this.deviceId], {
      cwd: directory,
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    // The end of the program says the same.
    for (const stream of [this.#child, this.#child.stdin]) stream.on('error', () => {})
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => this.#read(text))
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#errors = `${this.#errors}${text}`.slice(-2_000)
    })
  }

  get name(): string {
    const { client, level, qos } = this.options
    return `${client.name} ${client.version}, MQTT ${level === 4 ? '3.1.1' : '5'}, QoS ${qos}`
  }

  /** Events sent; null until it has finished: with QoS 1 and 2, until all are confirmed. */
  get sent(): number | null {
    return this.#sent
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  /** The end of its error output. */
  get errors(): string {
    return this.#errors
  }

  /** It publishes nothing new, waits for what is not confirmed, and ends. */
  finish(): void {
    this.#child.stdin.end()
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }

  #read(text: string): void {
    const lines = `${this.#rest}${text}`.split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) {
      if (line.startsWith('sent ')) this.#sent = Number(line.slice(5))
      else this.confirmed.add(line)
    }
  }
}
