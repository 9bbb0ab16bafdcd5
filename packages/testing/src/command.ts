import { CommanderError } from 'commander'
import { exitCodeOf } from '../../qs/src/cli/exit.ts'
import { createProgram } from '../../qs/src/cli/program.ts'
import { asQsError } from '../../qs/src/database/query-failure.ts'

export interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/**
 * Runs a command to its end within the test process, with only these settings: milliseconds, where a separate process
 * takes seconds. One at a time, since it replaces the environment and the output.
 */
export async function runCommand(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Ran> {
  const before = { env: process.env, stderr: process.stderr.write }
  const { log, error } = console
  const [out, err]: [string[], string[]] = [[], []]
  console.log = (text: unknown) => out.push(`${String(text)}\n`)
  console.error = (text: unknown) => err.push(`${String(text)}\n`)
  process.stderr.write = (text) => err.push(String(text)) > 0
  process.env = { PATH: before.env.PATH, HOME: before.env.HOME, ...env }
  process.exitCode = 0
  try {
    const program = await createProgram(args[0])
    await program.parseAsync([...args], { from: 'user' })
    return ended(Number(process.exitCode), out, err)
  } catch (error) {
    const { message } = error instanceof CommanderError ? error : asQsError(error)
    return ended(exitCodeOf(error), out, [...err, message])
  } finally {
    process.exitCode = 0
    process.env = before.env
    process.stderr.write = before.stderr
    console.log = log
    console.error = error
  }
}

function ended(code: number, out: readonly string[], err: readonly string[]): Ran {
  return { code, stdout: out.join(''), stderr: err.join('') }
}
