import type { DeadLetterCode, Limits } from '@qs-telemetry/protocol'
import { exactDigits, inDoubleRange, stringifyExact } from './exact-numbers.ts'
import { isStorable } from './text.ts'

export type MetaResult =
  | { readonly kind: 'meta'; readonly json: string | null }
  | { readonly kind: 'refused'; readonly code: DeadLetterCode; readonly detail: string }

/** The key for unknown top-level fields in meta. */
const EXTRA = '_extra'

/**
 * Writes meta and the unknown fields as one JSON text that JSONB stores without loss.
 *
 * @param extra unknown top-level fields; null if there are none
 * @param exact whether numbers are marked by parseExact
 */
export function writeMeta(
  meta: unknown,
  extra: Readonly<Record<string, unknown>> | null,
  { limits, exact }: { readonly limits: Limits; readonly exact: boolean },
): MetaResult {
  if (meta !== undefined && meta !== null && (typeof meta !== 'object' || Array.isArray(meta))) {
    return refused('INVALID_META', `meta is ${kindOf(meta)}`)
  }
  if (extra !== null && meta && Object.hasOwn(meta, EXTRA)) {
    return refused(
      'INVALID_META',
      `meta has a key ${EXTRA}, which is reserved for the unknown field ${Object.keys(extra)[0]}`,
    )
  }
  const whole = extra === null ? meta : { ...meta, [EXTRA]: extra }
  if (whole === undefined || whole === null) return { kind: 'meta', json: null }

  const fault = findFault(whole, limits.metaDepth)
  if (fault !== null) return fault
  const json = exact ? stringifyExact(whole) : JSON.stringify(whole)
  if (json.length * 3 > limits.metaBytes) {
    const bytes = Buffer.byteLength(json)
    if (bytes > limits.metaBytes) return refused('META_TOO_LARGE', `meta is ${bytes} bytes`)
  }
  return { kind: 'meta', json }
}

function kindOf(meta: unknown): string {
  if (Array.isArray(meta)) return 'an array'
  return typeof meta === 'string' && exactDigits(meta) !== null ? 'a number' : `a ${typeof meta}`
}

function refused(code: DeadLetterCode, detail: string): MetaResult & { kind: 'refused' } {
  return { kind: 'refused', code, detail }
}

/** Checks the depth on the way down, so that deep nesting costs no more than the limit. */
function findFault(value: unknown, levelsLeft: number): (MetaResult & { kind: 'refused' }) | null {
  if (typeof value === 'string') return findTextFault(value)
  if (typeof value !== 'object' || value === null) return null
  if (levelsLeft === 0) return refused('META_TOO_DEEP', '')
  if (Array.isArray(value)) {
    for (const item of value) {
      const fault = findFault(item, levelsLeft - 1)
      if (fault !== null) return fault
    }
    return null
  }
  for (const key of Object.keys(value)) {
    const fault = findTextFault(key) ?? findFault((value as Record<string, unknown>)[key], levelsLeft - 1)
    if (fault !== null) return fault
  }
  return null
}

function findTextFault(text: string): (MetaResult & { kind: 'refused' }) | null {
  if (isStorable(text)) return null
  const digits = exactDigits(text)
  if (digits === null) return refused('INVALID_META', 'meta contains U+0000 or half of a surrogate pair')
  return inDoubleRange(digits)
    ? null
    : refused('INVALID_META', `meta contains the number ${digits.slice(0, 40)}, which is out of range`)
}
