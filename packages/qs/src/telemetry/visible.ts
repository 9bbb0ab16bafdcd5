/**
 * What must not reach a terminal from outside: control characters (an escape sequence begins with one), line and
 * paragraph separators, and whatever changes the direction of the text after it.
 */
const UNSAFE = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu

/** Text from outside for a terminal: each unsafe character becomes its escape, `\u001b`, as JSON writes it. */
export function visible(text: string): string {
  return text.replace(UNSAFE, escapeOf)
}

/** The same for text of several lines: line breaks and tabs stay. */
export function visibleLines(text: string): string {
  return text.replace(UNSAFE, (character) => ('\n\t'.includes(character) ? character : escapeOf(character)))
}

/** The same on one line that has an end. */
export function oneLine(text: string, maxCharacters = 400): string {
  const line = text.slice(0, maxCharacters).replace(/[\t\n\r]+/g, ' ')
  return text.length > maxCharacters ? `${visible(line)} … (${text.length} characters)` : visible(line)
}

function escapeOf(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
