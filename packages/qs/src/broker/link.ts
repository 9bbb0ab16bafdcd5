/** The network under a client connection. */
export interface Link {
  /** '' if it has none. */
  readonly address: string
  /** Bytes written that the network has not taken. */
  readonly waitingBytes: number
  /** Changes whenever the network takes some of them. */
  readonly taken: number
  /** @returns whether it takes more at once; otherwise `drained` follows */
  write(bytes: Buffer): boolean
  pause(): void
  resume(): void
  /** Its client has logged in, and may send messages of any allowed size. */
  opened(): void
  /** Sends what is written, then closes. */
  end(): void
  /** Closes at once. */
  destroy(): void
}
