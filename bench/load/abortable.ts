/** Waits for a callback; an abort rejects. */
export async function abortable(signal: AbortSignal, start: (resolve: () => void) => void): Promise<void> {
  signal.throwIfAborted()
  await new Promise<void>((resolve, reject) => {
    const onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    start(() => {
      signal.removeEventListener('abort', onAbort)
      resolve()
    })
  })
}
