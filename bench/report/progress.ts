import type { WriteStream } from 'node:tty'

/** Shows progress: on a terminal one changing line; elsewhere only completed steps. */
export class Progress {
  readonly #stream: WriteStream

  constructor(stream: WriteStream) {
    this.#stream = stream
  }

  say(text: string): void {
    if (!this.#stream.isTTY) return
    this.clear()
    this.#stream.write(text)
  }

  done(text: string): void {
    this.clear()
    this.#stream.write(`${text}\n`)
  }

  clear(): void {
    if (!this.#stream.isTTY) return
    this.#stream.clearLine(0)
    this.#stream.cursorTo(0)
  }
}
