import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Fault } from '../http/fault-log.ts'
import type { ConsoleProcess } from './console-process.ts'
import { forward } from './forward.ts'

/** Requests on their way through, live pages included; each holds two buffers of a socket here. */
const MAX_UNDER_WAY = 256

/** Everything that is for people: passed on to the console's process, which is started where it does not run. */
export class ConsoleFront {
  readonly #process: ConsoleProcess
  readonly #onFault: (fault: Fault) => void
  #underWay = 0

  /** @param onFault told of each request that is answered with 503 here */
  constructor(process: ConsoleProcess, onFault: (fault: Fault) => void) {
    this.#process = process
    this.#onFault = onFault
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.#underWay >= MAX_UNDER_WAY) {
      this.#refuse(
        request,
        response,
        `The console answers ${MAX_UNDER_WAY} requests already. Try again in a moment.`,
      )
      return
    }
    this.#underWay++
    try {
      await this.#pass(request, response)
    } finally {
      this.#underWay--
    }
  }

  async #pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const place = await this.#process.place()
      await forward(request, response, place).catch(() =>
        this.#refuse(
          request,
          response,
          'The console ended while it worked on this request; an answer may have needed too much memory. Ingestion is not affected. Try again; if it happens again, ask for less: a shorter time, fewer devices, a smaller limit.',
        ),
      )
    } catch (error) {
      this.#refuse(request, response, (error as Error).message)
    }
  }

  #refuse({ method = '' }: IncomingMessage, response: ServerResponse, detail: string): void {
    this.#onFault({ method, route: '(console)', status: 503, reason: detail, stack: null })
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
