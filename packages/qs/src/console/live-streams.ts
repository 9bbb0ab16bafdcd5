import { HttpProblem } from './problem.ts'

/** A browser has six connections to a host. Most people watch from one page, and a small office shares an address. */
const [MAX_OF_SESSION, MAX_OF_ADDRESS, MAX_STREAMS] = [6, 12, 50]

export interface LiveStream {
  /** null: the console is open. */
  readonly session: { readonly id: string; readonly endsAt: number } | null
  readonly address: string
  /** `reason` is the answer to a request whose stream has not begun. */
  end(reason: HttpProblem): void
}

const LOGIN_ENDED = () => new HttpProblem(401, 'This login has ended. Log in again')
const STOPPING = () => new HttpProblem(503, 'The console is stopping. Try again in a moment')

/**
 * The streams of /api/live that are open. None outlives its login, and they are bounded by session and by address, so
 * that one person, or one program that forgets to close them, cannot use up those of all others.
 */
export class LiveStreams {
  readonly #open = new Set<LiveStream>()

  /**
   * Counts a stream until the function that is returned is called.
   *
   * @throws HttpProblem where too many are open
   */
  add(stream: LiveStream): () => void {
    const { session, address } = stream
    const open = [...this.#open]
    if (session !== null && open.filter((each) => each.session?.id === session.id).length >= MAX_OF_SESSION)
      throw new HttpProblem(429, `This login watches with ${MAX_OF_SESSION} pages already. Close one of them`)
    if (open.filter((each) => each.address === address).length >= MAX_OF_ADDRESS)
      throw new HttpProblem(
        429,
        `${MAX_OF_ADDRESS} pages at ${address} are watching already. Close one of them; if that is the address of a proxy, name it in HTTP_TRUSTED_PROXIES`,
      )
    if (open.length >= MAX_STREAMS)
      throw new HttpProblem(503, `${MAX_STREAMS} pages are watching already. Try again later`)
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
