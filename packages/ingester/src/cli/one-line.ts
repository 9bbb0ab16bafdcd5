/** Text from devices for a terminal: control characters must not reach it, and it has an end. */
export function oneLine(text: string, maxCharacters = 400): string {
  const visible = text.replace(/\p{Cc}+/gu, ' ')
  return visible.length > maxCharacters
    ? `${visible.slice(0, maxCharacters)} … (${text.length} characters)`
    : visible
}
