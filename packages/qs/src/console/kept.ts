/** Asks at most once in `forMs`, however many pages are open; they share the answer. */
export function kept<T>(forMs: number, ask: () => Promise<T>): () => Promise<T> {
  let last: { readonly atMs: number; readonly answer: Promise<T> } | null = null
  return () => {
    const now = performance.now()
    if (last === null || now - last.atMs > forMs) last = { atMs: now, answer: ask() }
    return last.answer
  }
}
