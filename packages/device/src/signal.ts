/** Several callers can wait for it repeatedly: `notify` resolves all that wait at that moment. */
export class Signal {
  #waiters: { readonly resolve: () => void; readonly reject: (error: Error) => void }[] = []

  wait(): Promise<void> {
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }))
  }

  notify(): void {
    for (const { resolve } of this.#take()) resolve()
  }

  fail(error: Error): void {
    for (const { reject } of this.#take()) reject(error)
  }

  #take() {
    const waiters = this.#waiters
    this.#waiters = []
    return waiters
  }
}
