import { after } from 'node:test'

const closing: (() => Promise<void>)[] = []

// Registered while this module loads, before the tests of a process and outside their suites: it runs after all of them.
after(async () => {
  for (const close of closing.reverse()) await close()
})

/** Closes what all tests of a process share, after the last of them. */
export function atEnd(close: () => Promise<void>): void {
  closing.push(close)
}
