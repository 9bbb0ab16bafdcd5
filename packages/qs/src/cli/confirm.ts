import { createInterface } from 'node:readline/promises'
import { CliError, WRONG_USAGE } from './exit.ts'

/**
 * Asks for confirmation on the terminal.
 *
 * @throws CliError without a terminal, or if the answer is no
 */
export async function confirm(question: string): Promise<void> {
  if (!process.stdin.isTTY) throw new CliError(`${question} Confirm with --yes`, WRONG_USAGE)
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  const answer = await terminal.question(`${question} [y/N] `)
  terminal.close()
  if (!/^y(es)?$/i.test(answer.trim())) throw new CliError('Nothing was changed')
}
