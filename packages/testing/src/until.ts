import { setTimeout as wait } from 'node:timers/promises'

type Falsy = false | null | undefined

/**
 * Polls every 10 ms until `check` gives something, and returns it. The only place of the tests that waits for
 * time to pass: a test that waits says for what, and fails with those words.
 */
export async function until<T>(
  check: () => Promise<T | Falsy> | T | Falsy,
  what: string,
  timeoutMs = 10_000,
): Promise<Exclude<T, Falsy>> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const value = await check()
    if (value !== false && value !== null && value !== undefined) return value as Exclude<T, Falsy>
    if (performance.now() > deadline) throw new Error(`after ${timeoutMs} ms still not: ${what}`)
    await wait(10)
  }
}
