import { visibleLines } from '../telemetry/visible.ts'

const ESCAPE = String.fromCharCode(0x1b)
/** What picocolors writes: bold, dim and the foregrounds. None of them hides text or moves the cursor. */
const COLOUR = new RegExp(`(${ESCAPE}\\[(?:0|1|2|22|3\\d|9[0-7])m)`)

/**
 * From now on no text that a command prints can command the terminal: of control and bidirectional characters only line
 * breaks, tabs and our own colours pass. The rest appears as JSON escapes, so `--json` says what it said. Bytes
 * pass as they are. A printer that forgets `visible` is safe too.
 */
export function guardOutput(stream: NodeJS.WriteStream): void {
  const write = stream.write.bind(stream) as (text: unknown, ...rest: readonly unknown[]) => boolean
  stream.write = (text: unknown, ...rest: readonly unknown[]) =>
    write(typeof text === 'string' ? guarded(text) : text, ...rest)
}

export function guarded(text: string): string {
  return text
    .split(COLOUR)
    .map((part, n) => (n % 2 === 1 ? part : visibleLines(part)))
    .join('')
}
