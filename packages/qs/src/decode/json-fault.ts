/*
 * Explains why a text is not JSON, in terms that its sender can act on. The parser names a token; the owner of a board
 * that prints floats needs to know that JSON has no NaN.
 */

/** Strings (the last one may be unterminated), numbers, words. No alternative is tried twice at the same place. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*("?)|'|[-+]?[A-Za-z_$][\w$]*|[-+]?\.?\d[\d.eE+-]*/gs
const MAX_SHOWN = 24

/** Common mistakes in place of valid JSON values. */
const ADVICE: readonly (readonly [RegExp, (word: string) => string])[] = [
  [/^(true|false|null)$/, () => ''],
  [/^[-+]?(nan|inf|infinity|ovf)$/i, (word) => `JSON has no ${word}, send null`],
  [/^(none|undefined|nil|null)$/i, () => 'write null'],
  [/^(true|false)$/i, (word) => `write ${word.toLowerCase()}`],
  [/^'/, () => 'write strings in double quotes'],
]

/** @param said the message of JSON.parse, used if there is no better explanation */
export function jsonFault(text: string, said: string): string {
  for (const { 0: token, 1: close, index } of text.matchAll(TOKEN)) {
    if (close === '') return `The string that begins at character ${index} has no closing quote`
    const advice = ADVICE.find(([pattern]) => pattern.test(token))?.[1](token) ?? ''
    if (advice !== '') return `${token.slice(0, MAX_SHOWN)} at character ${index}: ${advice}`
  }
  return /end of JSON input/i.test(said)
    ? `The JSON is incomplete: it ends at character ${text.length}`
    : said
}
