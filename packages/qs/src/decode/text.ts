/** Whether PostgreSQL can store a text unchanged: no U+0000 (22021), no lone surrogate (silently U+FFFD). */
export function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0')
}

/** Whether a text is longer than `maxBytes` in UTF-8, usually without counting bytes. */
export function isLonger(text: string, maxBytes: number): boolean {
  return text.length > maxBytes || (text.length * 3 > maxBytes && Buffer.byteLength(text) > maxBytes)
}
