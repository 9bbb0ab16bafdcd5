/**
 * Characters that must not reach a terminal from outside: control characters (escape sequences begin with one), line
 * and paragraph separators, and anything that changes the text direction.
 */
const UNSAFE = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu

/** Makes outside text safe for a terminal: each unsafe character becomes its JSON escape, such as `\u001b`. */
export function visible(text: string): string {
  return text.replace(UNSAFE, escapeOf)
}

/** Like `visible`, but keeps line breaks and tabs. */
export function visibleLines(text: string): string {
  return text.replace(UNSAFE, (character) => ('\n\t'.includes(character) ? character : escapeOf(character)))
}

/** Like `visible`, on one line and shortened to `maxCharacters`. */
export function oneLine(text: string, maxCharacters = 400): string {
  const line = text.slice(0, maxCharacters).replace(/[\t\n\r]+/g, ' ')
  return text.length > maxCharacters ? `${visible(line)} … (${text.length} characters)` : visible(line)
}

function escapeOf(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
