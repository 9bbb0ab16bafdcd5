import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ConsoleProcess } from './console-process.ts'
import { forward } from './forward.ts'

/** Requests on their way through, live pages included; each holds two buffers of a socket here. */
const MAX_UNDER_WAY = 256

/** Everything that is for people: passed on to the console's process, which is started where it does not run. */
export class ConsoleFront {
  readonly #process: ConsoleProcess
  #underWay = 0

  constructor(process: ConsoleProcess) {
    this.#process = process
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.#underWay >= MAX_UNDER_WAY) {
      unavailable(response, `The console answers ${MAX_UNDER_WAY} requests already. Try again in a moment.`)
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
        unavailable(
          response,
          'The console ended while it worked on this request; an answer may have needed too much memory. Ingestion is not affected. Try again; if it happens again, ask for less: a shorter time, fewer devices, a smaller limit.',
        ),
      )
    } catch (error) {
      unavailable(response, `The console cannot start. ${(error as Error).message}`)
    }
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
