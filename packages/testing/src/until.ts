import { setTimeout as wait } from 'node:timers/promises'

type Falsy = false | null | undefined

/**
 * Polls every 10 ms until `check` returns a value, and returns it. The only place where tests wait for time to
 * pass: a test says what it waits for, and fails with that text.
 */
export async function until<T>(
  check: () => Promise<T | Falsy> | T | Falsy,
  what: string,
  timeoutMs = 60_000,
): Promise<Exclude<T, Falsy>> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const value = await check()
    if (value !== false && value !== null && value !== undefined) return value as Exclude<T, Falsy>
    if (performance.now() > deadline) throw new Error(`after ${timeoutMs} ms still not: ${what}`)
    await wait(10)
  }
}
