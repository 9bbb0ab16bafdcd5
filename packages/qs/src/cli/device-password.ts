import { text } from 'node:stream/consumers'
import { newPassword } from '../accounts/new-password.ts'
import { QsError } from '../errors/qs-error.ts'

const MIN_CHARACTERS = 12
/** Fits the buffers of small boards. */
const MAX_BYTES = 128

/** @param fromStdin take the first line of standard input */
export async function choosePassword(fromStdin: boolean): Promise<string> {
  if (!fromStdin) return newPassword()
  const password = (await text(process.stdin)).split(/\r?\n/)[0] ?? ''
  if (
    password.length < MIN_CHARACTERS ||
    Buffer.byteLength(password) > MAX_BYTES ||
    /\p{Cc}/u.test(password)
  ) {
    throw new QsError(
      'INVALID_PASSWORD',
      `A password needs at least ${MIN_CHARACTERS} characters, at most ${MAX_BYTES} bytes, and no control characters`,
    )
  }
  return password
}
