/**
 * A number in [0, 1) that depends only on its keys: random access, where a generator would have to be advanced to the
 * tick in question. Each key goes through the finalizer of MurmurHash3; keys are taken modulo 2^32.
 */
export function random(...keys: readonly number[]): number {
  let hash = 0x9e3779b9
  for (const key of keys) {
    hash = Math.imul(hash ^ (key >>> 0), 0x85ebca6b)
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
    hash = (hash ^ (hash >>> 16)) + 0x9e3779b9
  }
  return (hash >>> 0) / 2 ** 32
}

/** One of several choices, by a number in [0, 1). */
export function pick<T>(choices: readonly [T, ...T[]], at: number): T {
  return choices[Math.floor(at * choices.length)] ?? choices[0]
}
