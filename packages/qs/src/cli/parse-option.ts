import { InvalidArgumentError } from 'commander'
import type { Kind } from '../config/kinds.ts'

/** An option that takes what a setting of this kind takes, with the same words where it is wrong. */
export function parseWith<T>(kind: Kind<T>): (text: string) => T {
  return (text) => {
    try {
      return kind.parse(text)
    } catch (error) {
      throw new InvalidArgumentError(`It ${(error as Error).message}.`)
    }
  }
}
