/*
 * What is wrong with a text that is not JSON, in words that its sender can act on. The parser names a token; the owner
 * of a board that prints floats needs to read that JSON has no NaN.
 */

/** Texts (the last one may have no end), numbers, words. No alternative is tried twice at one place. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*("?)|'|[-+]?[A-Za-z_$][\w$]*|[-+]?\.?\d[\d.eE+-]*/gs
const MAX_SHOWN = 24

/** What programs write in place of a value that JSON has. */
const ADVICE: readonly (readonly [RegExp, (word: string) => string])[] = [
  [/^(true|false|null)$/, () => ''],
  [/^[-+]?(nan|inf|infinity|ovf)$/i, (word) => `JSON has no ${word}, send null`],
  [/^(none|undefined|nil|null)$/i, () => 'write null'],
  [/^(true|false)$/i, (word) => `write ${word.toLowerCase()}`],
  [/^'/, () => 'write texts in double quotes'],
]

/** @param said by JSON.parse, for a text whose fault has no better name */
export function jsonFault(text: string, said: string): string {
  for (const { 0: token, 1: close, index } of text.matchAll(TOKEN)) {
    if (close === '') return `The text that begins at character ${index} has no closing quote`
    const advice = ADVICE.find(([pattern]) => pattern.test(token))?.[1](token) ?? ''
    if (advice !== '') return `${token.slice(0, MAX_SHOWN)} at character ${index}: ${advice}`
  }
  return /end of JSON input/i.test(said) ? `It ends at character ${text.length}, before it is complete` : said
}
