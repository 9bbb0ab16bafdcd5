const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c]
const OPEN: ReadonlySet<number> = new Set([0x5b, 0x7b])
const CLOSE: ReadonlySet<number> = new Set([0x5d, 0x7d])
const SPACE: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d])

/**
 * The bytes of each element of a JSON array, without the white space around them: what a dead letter keeps.
 * Parsing and writing again would not give them back (digits, escapes, repeated keys).
 *
 * @param array UTF-8 of a valid JSON array
 */
export function elementBytes(array: Buffer): readonly Buffer[] {
  const elements: Buffer[] = []
  let depth = 0
  let inText = false
  let start = 0
  for (let at = 0; at < array.length; at++) {
    const byte = array[at] as number
    if (inText) {
      if (byte === BACKSLASH) at++
      else if (byte === QUOTE) inText = false
    } else if (byte === QUOTE) {
      inText = true
    } else if (OPEN.has(byte)) {
      depth++
      if (depth === 1) start = at + 1
    } else if (CLOSE.has(byte) || (byte === COMMA && depth === 1)) {
      if (depth === 1) {
        elements.push(trim(array, start, at))
        start = at + 1
      }
      if (byte !== COMMA) depth--
    }
  }
  return elements
}

function trim(bytes: Buffer, from: number, to: number): Buffer {
  let start = from
  let end = to
  while (start < end && SPACE.has(bytes[start] as number)) start++
  while (end > start && SPACE.has(bytes[end - 1] as number)) end--
  return bytes.subarray(start, end)
}
