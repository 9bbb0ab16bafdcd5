/**
 * Repeats a request while the component is mounted and the page visible, and at once when the state that the question
 * reads changes.
 */
export class Poll<T> {
  value = $state.raw<T | null>(null)
  error = $state<Error | null>(null)
  /** The question changed and its answer is pending. */
  isLoading = $state(false)
  #again: () => void = () => {}

  /** Call during component setup. With `everyMs` null it asks only when the question changes. */
  constructor(question: (signal: AbortSignal) => Promise<T> | null, everyMs: number | null) {
    $effect(() => {
      const aborting = new AbortController()
      let timer: ReturnType<typeof setTimeout> | undefined
      const first = question(aborting.signal)
      this.isLoading = first !== null
      const wait = () => {
        if (everyMs === null || aborting.signal.aborted) return
        clearTimeout(timer)
        timer = setTimeout(() => {
          if (document.visibilityState === 'hidden') wait()
          else take(question(aborting.signal))
        }, everyMs)
      }
      const take = (answer: Promise<T> | null) => {
        if (answer === null) return
        answer.then(
          (value) => {
            if (aborting.signal.aborted) return
            this.value = value
            this.error = null
            this.isLoading = false
            wait()
          },
          (error: Error) => {
            if (aborting.signal.aborted) return
            this.error = error
            this.isLoading = false
            wait()
          },
        )
      }
      take(first)
      this.#again = () => take(question(aborting.signal))
      return () => {
        aborting.abort()
        clearTimeout(timer)
      }
    })
  }

  again(): void {
    this.#again()
  }
}
