import { type ParseArgsConfig, parseArgs } from 'node:util'

export class UsageError extends Error {}

export interface Flags {
  /** A whole number above 0. @throws UsageError */
  number(name: string, fallback: number): number
  text(name: string, fallback: string): string
  is(name: string): boolean
}

/**
 * The options of a bench that is a command of its own.
 *
 * @param known names of those with a value (`texts`) and without (`switches`); --help is always one
 * @throws UsageError
 */
export function readFlags(
  args: readonly string[],
  known: { readonly texts: readonly string[]; readonly switches: readonly string[] },
): Flags {
  const options = Object.fromEntries([
    ...known.texts.map((name) => [name, { type: 'string' }] as const),
    ...known.switches.map((name) => [name, { type: 'boolean' }] as const),
    ['help', { type: 'boolean', short: 'h' }] as const,
  ])
  const values = parsed(args, options)
  return {
    number: (name, fallback) => {
      const value = Number(values[name] ?? fallback)
      if (Number.isInteger(value) && value > 0) return value
      throw new UsageError(`--${name} must be a whole number above 0, not "${values[name]}".`)
    },
    text: (name, fallback) => String(values[name] ?? fallback),
    is: (name) => values[name] === true,
  }
}

function parsed(args: readonly string[], options: ParseArgsConfig['options']) {
  try {
    return parseArgs({ args: [...args], options }).values as Readonly<
      Record<string, string | boolean | undefined>
    >
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

/** Ends the process with 0, with 1 if the bench fails or says so, or with 2 and a hint for wrong usage. */
export async function runCommand(run: () => Promise<boolean>): Promise<void> {
  try {
    process.exitCode = (await run()) ? 0 : 1
  } catch (error) {
    const isUsage = error instanceof UsageError
    console.error(`error: ${(error as Error).message}${isUsage ? ' See --help.' : ''}`)
    process.exitCode = isUsage ? 2 : 1
  }
}
