import type { IncomingMessage, ServerResponse } from 'node:http'
import { AddressCounts } from '../../endpoints/address-counts.ts'
import type { Fault } from '../../http/fault-log.ts'
import type { ConsoleProcess } from './console-process.ts'
import { forward } from './forward.ts'
import { whenGone } from './when-gone.ts'

/** Concurrent requests, including live pages: in total, and per address. Each holds two socket buffers here. */
const [MAX_UNDER_WAY, MAX_OF_ADDRESS] = [256, 64]

const ENDED =
  'The console process ended during this request; an answer may have needed too much memory. Ingestion is not affected. Try again; if it fails again, request less: a shorter time range, fewer devices, a smaller limit.'
const STOPPING = 'The service is stopping. Try again after its restart.'

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

  #whyFull(address: string): string | null {
    if (this.#underWay.total >= MAX_UNDER_WAY)
      return `The console is already handling ${MAX_UNDER_WAY} requests. Try again in a moment.`
    if (this.#underWay.of(address) >= MAX_OF_ADDRESS && !this.#options.isProxy(address))
      return `The console is already handling ${MAX_OF_ADDRESS} requests from ${address}. Try again in a moment; if this is the address of a proxy, add it to HTTP_TRUSTED_PROXIES.`
    return null
  }

  async #pass(request: IncomingMessage, response: ServerResponse, gone: AbortSignal): Promise<void> {
    const { process } = this.#options
    const fail = (detail: string) => this.#refuse(request, response, process.isClosing ? STOPPING : detail)
    try {
      const place = await process.place()
      await forward(request, response, { ...place, gone }).catch(() => fail(ENDED))
    } catch (error) {
      fail((error as Error).message)
    }
  }

  #refuse({ method = '' }: IncomingMessage, response: ServerResponse, detail: string): void {
    this.#options.onFault({ method, route: '(console)', status: 503, reason: detail, stack: null })
    unavailable(response, detail)
  }
}

function unavailable(response: ServerResponse, detail: string): void {
  if (response.headersSent || response.destroyed) {
    response.destroy()
    return
  }
  const problem = { type: 'about:blank', title: 'Service Unavailable', status: 503, detail }
  response
    .writeHead(503, { 'content-type': 'application/problem+json', 'retry-after': '1', connection: 'close' })
    .end(JSON.stringify(problem))
}
