import { createInterface } from 'node:readline/promises'
import { QsError } from '../errors/qs-error.ts'

/**
 * Asks for confirmation on the terminal.
 *
 * @throws QsError without a terminal, or if the answer is no
 */
export async function confirm(question: string): Promise<void> {
  const answer = await ask(question, '[y/N] ')
  if (!/^y(es)?$/i.test(answer.trim())) throw new QsError('CANCELLED', 'The answer was no')
}

/**
 * Asks for the name of what is to be deleted, which nobody types by mistake.
 *
 * @throws QsError as confirm
 */
export async function confirmByTyping(question: string, name: string): Promise<void> {
  const answer = await ask(question, 'Type its id to confirm: ')
  if (answer.trim() !== name) throw new QsError('CANCELLED', `The answer was not ${name}`)
}

async function ask(question: string, hint: string): Promise<string> {
  if (!process.stdin.isTTY) throw new QsError('CONFIRMATION_NEEDED', question)
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  const answer = await terminal.question(`${question} ${hint}`)
  terminal.close()
  return answer
}
