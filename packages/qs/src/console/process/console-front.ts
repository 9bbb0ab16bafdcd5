import type { IncomingMessage, ServerResponse } from 'node:http'
import { AddressCounts } from '../../endpoints/address-counts.ts'
import { QsError } from '../../errors/qs-error.ts'
import type { Fault } from '../../http/fault-log.ts'
import { problemOf } from '../problem.ts'
import type { ConsoleProcess } from './console-process.ts'
import { forward } from './forward.ts'
import { whenGone } from './when-gone.ts'

/** Concurrent requests, including live pages: in total, and per address. Each holds two socket buffers here. */
const [MAX_UNDER_WAY, MAX_OF_ADDRESS] = [256, 64]

const ended = () => new QsError('CONSOLE_ENDED', 'The console process ended during this request')
const stopping = () => new QsError('STOPPING', 'The service is stopping')

export interface ConsoleFrontOptions {
  readonly process: Pick<ConsoleProcess, 'place' | 'isClosing'>
  /** Whether an address is a proxy, which many users share, so that it has no limit per address. */
  readonly isProxy: (address: string) => boolean
  /** Called for each request answered with 503 here. */
  readonly onFault: (fault: Fault) => void
}

/** Forwards requests to the console process, and starts it if it is not running. */
export class ConsoleFront {
  readonly #options: ConsoleFrontOptions
  readonly #underWay = new AddressCounts()

  constructor(options: ConsoleFrontOptions) {
    this.#options = options
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const address = request.socket.remoteAddress ?? ''
    const full = this.#whyFull(address)
    if (full !== null) {
      this.#refuse(request, response, full)
      return
    }
    this.#underWay.add(address)
    const gone = whenGone(request, response)
    gone.addEventListener('abort', () => this.#underWay.remove(address))
    await this.#pass(request, response, gone)
  }

  #whyFull(address: string): QsError | null {
    if (this.#underWay.total >= MAX_UNDER_WAY)
      return new QsError('CONSOLE_BUSY', `The console is already handling ${MAX_UNDER_WAY} requests`)
    if (this.#underWay.of(address) >= MAX_OF_ADDRESS && !this.#options.isProxy(address))
      return new QsError('TOO_MANY_REQUESTS', `${address} already has ${MAX_OF_ADDRESS} open requests`)
    return null
  }

  async #pass(request: IncomingMessage, response: ServerResponse, gone: AbortSignal): Promise<void> {
    const { process } = this.#options
    const fail = (error: QsError) => this.#refuse(request, response, process.isClosing ? stopping() : error)
    try {
      const place = await process.place()
      await forward(request, response, { ...place, gone }).catch(() => fail(ended()))
    } catch (error) {
      fail(error as QsError)
    }
  }

  #refuse({ method = '' }: IncomingMessage, response: ServerResponse, error: QsError): void {
    const { code, problem } = error
    this.#options.onFault({ method, route: '(console)', status: 503, code, reason: problem, stack: null })
    unavailable(response, error)
  }
}

function unavailable(response: ServerResponse, error: QsError): void {
  if (response.headersSent || response.destroyed) {
    response.destroy()
    return
  }
  response
    .writeHead(503, { 'content-type': 'application/problem+json', 'retry-after': '1', connection: 'close' })
    .end(JSON.stringify(problemOf(error, 503)))
}
