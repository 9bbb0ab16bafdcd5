import { visibleLines } from '../telemetry/visible.ts'

const ESCAPE = String.fromCharCode(0x1b)
/** The sequences of picocolors: bold, dim and foreground colours. None hides text or moves the cursor. */
const COLOUR = new RegExp(`(${ESCAPE}\\[(?:0|1|2|22|3\\d|9[0-7])m)`)

/**
 * Keeps printed text from controlling the terminal: of control and bidirectional characters, only line breaks, tabs and
 * the colours of picocolors pass. The rest is written as JSON escapes, so `--json` output keeps its meaning. Buffers
 * pass unchanged. Output that was not passed through `visible` is safe too.
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
