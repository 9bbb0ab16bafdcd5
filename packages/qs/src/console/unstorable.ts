/** Location of text that PostgreSQL cannot store, and the reason, in the form of Ajv's errors. */
export interface Unstorable {
  readonly keyword: string
  readonly instancePath: string
  readonly schemaPath: string
  readonly params: Record<string, never>
  readonly message: string
}

/**
 * PostgreSQL text cannot contain NUL (SQLSTATE 22021), and half of a surrogate pair has no UTF-8 form: it would be
 * stored as U+FFFD.
 *
 * @param isFree whether the field of this name accepts any text, since it becomes bytes
 */
export function findUnstorable(value: unknown, isFree: (name: string) => boolean): Unstorable | null {
  return find(value, '', isFree)
}

function find(value: unknown, instancePath: string, isFree: (name: string) => boolean): Unstorable | null {
  if (typeof value === 'string') return reasonOf(value, instancePath)
  if (typeof value !== 'object' || value === null) return null
  for (const [name, each] of Object.entries(value)) {
    if (isFree(name)) continue
    const found = reasonOf(name, instancePath) ?? find(each, `${instancePath}/${name}`, isFree)
    if (found !== null) return found
  }
  return null
}

function reasonOf(text: string, instancePath: string): Unstorable | null {
  const message = text.includes('\0')
    ? 'contains a NUL character, which cannot be stored'
    : text.isWellFormed()
      ? null
      : 'contains half of a surrogate pair, which is not a character'
  return message === null ? null : { keyword: 'storable', instancePath, schemaPath: '', params: {}, message }
}
