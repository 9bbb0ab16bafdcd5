import { createInterface } from 'node:readline/promises'
import { QsError } from '../errors/qs-error.ts'

/**
 * Asks for confirmation on the terminal.
 *
 * @throws QsError without a terminal, or if the answer is no
 */
export async function confirm(question: string): Promise<void> {
  if (!process.stdin.isTTY) throw new QsError('CONFIRMATION_NEEDED', question)
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  const answer = await terminal.question(`${question} [y/N] `)
  terminal.close()
  if (!/^y(es)?$/i.test(answer.trim())) throw new QsError('CANCELLED', 'The answer was no')
}
