import { QsError } from '../errors/qs-error.ts'

/** A browser opens six connections per host. Most users watch one page, and a small office shares an address. */
const [MAX_OF_SESSION, MAX_OF_ADDRESS, MAX_STREAMS] = [6, 12, 50]

export interface LiveStream {
  /** null: the console is open. */
  readonly session: { readonly id: string; readonly endsAt: number } | null
  readonly address: string
  /** `reason` is the answer to a request whose stream has not begun. */
  end(reason: QsError): void
}

const LOGIN_ENDED = () => new QsError('LOGIN_NEEDED', 'This login has ended')
const STOPPING = () => new QsError('STOPPING', 'The console is stopping')

/**
 * The open streams of /api/live. None outlives its login, and they are limited per session and per address, so that one
 * user, or one program that does not close them, cannot use up all streams.
 */
export class LiveStreams {
  readonly #open = new Set<LiveStream>()

  /**
   * Counts a stream as open until the returned function is called.
   *
   * @throws QsError if too many are open
   */
  add(stream: LiveStream): () => void {
    const { session, address } = stream
    const open = [...this.#open]
    if (session !== null && open.filter((each) => each.session?.id === session.id).length >= MAX_OF_SESSION)
      throw new QsError('TOO_MANY_REQUESTS', `This login already watches on ${MAX_OF_SESSION} pages`)
    if (open.filter((each) => each.address === address).length >= MAX_OF_ADDRESS)
      throw new QsError('TOO_MANY_REQUESTS', `${MAX_OF_ADDRESS} pages at ${address} are already watching`)
    if (open.length >= MAX_STREAMS)
      throw new QsError('CONSOLE_BUSY', `${MAX_STREAMS} pages are already watching`)
    this.#open.add(stream)
    const timer =
      session === null
        ? undefined
        : setTimeout(() => stream.end(LOGIN_ENDED()), session.endsAt - Date.now()).unref()
    return () => {
      this.#open.delete(stream)
      clearTimeout(timer)
    }
  }

  endSession(id: string): void {
    for (const stream of this.#open) if (stream.session?.id === id) stream.end(LOGIN_ENDED())
  }

  endAll(): void {
    for (const stream of this.#open) stream.end(STOPPING())
  }
}
