import { InvalidArgumentError } from 'commander'
import type { Kind } from '../config/kinds.ts'

/** Parses an option like a setting of this kind, with the same error messages. */
export function parseWith<T>(kind: Kind<T>): (text: string) => T {
  return (text) => {
    try {
      return kind.parse(text)
    } catch (error) {
      throw new InvalidArgumentError(`It ${(error as Error).message}.`)
    }
  }
}
