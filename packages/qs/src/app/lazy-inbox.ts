import { HttpProblem } from '../console/problem.ts'
import type { AckInbox } from '../letters/replay-letter.ts'

export type OpenInbox = () => Promise<AckInbox & { close(): Promise<void> }>

/** An inbox that is opened at the first replay, and again after it could not be. */
export class LazyInbox implements AckInbox {
  readonly keepsReceiveTime = false
  readonly #open: OpenInbox
  #opened: ReturnType<OpenInbox> | null = null

  constructor(open: OpenInbox) {
    this.#open = open
  }

  /** @throws HttpProblem where the broker is not reached, or refuses */
  async publish(...args: Parameters<AckInbox['publish']>): ReturnType<AckInbox['publish']> {
    try {
      this.#opened ??= this.#open()
      return await (await this.#opened).publish(...args)
    } catch (error) {
      await this.close()
      throw new HttpProblem(503, `A replay goes through the broker. ${(error as Error).message}`)
    }
  }

  async close(): Promise<void> {
    const opened = this.#opened
    this.#opened = null
    await opened?.then((inbox) => inbox.close()).catch(() => {})
  }
}
