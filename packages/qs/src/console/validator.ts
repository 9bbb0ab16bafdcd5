import { Ajv, type Options, type ValidateFunction } from 'ajv'
import addFormats from 'ajv-formats'
import type { FastifySchemaCompiler } from 'fastify'
import { findUnstorable } from './unstorable.ts'

const OPTIONS: Options = { useDefaults: true, allErrors: false, strict: false }

type Check = ReturnType<FastifySchemaCompiler<object>>

/** The part of a schema used here. */
interface ObjectSchema {
  readonly properties?: Readonly<Record<string, { readonly format?: string } | undefined>>
}

/**
 * Parameters in a URL are text and are converted to numbers and lists; a JSON body is not converted: null is not an
 * empty text. In both, text that PostgreSQL cannot store is refused, except in a field with the format `payload`, which
 * becomes bytes.
 *
 * A schema is compiled for its first request: compiling all of them is 40 % of the CPU of a start of the console.
 */
export function validatorCompiler(): FastifySchemaCompiler<object> {
  const forText = formats(new Ajv({ ...OPTIONS, coerceTypes: 'array' }))
  const forJson = formats(new Ajv(OPTIONS))
  return ({ schema, httpPart }) => {
    let validate: ValidateFunction | undefined
    const { properties = {} } = schema as ObjectSchema
    const isFree = (name: string) => properties[name]?.format === 'payload'
    const check: Check = (data) => {
      validate ??= (httpPart === 'body' ? forJson : forText).compile(schema)
      const found = findUnstorable(data, isFree)
      const isValid = found === null && validate(data)
      if (!isValid) check.errors = found === null ? (validate.errors ?? null) : [found]
      return isValid
    }
    return check
  }
}

function formats(ajv: Ajv): Ajv {
  // CommonJS: the default export is the function itself.
  const add = addFormats as unknown as (ajv: Ajv) => void
  add(ajv)
  const dateTime = ajv.formats['date-time']
  const isDateTime =
    typeof dateTime === 'object' && 'validate' in dateTime && typeof dateTime.validate === 'function'
      ? (dateTime.validate as (text: string) => boolean)
      : () => true
  // RFC 3339 allows leap seconds and the year 0; JavaScript lacks the first, PostgreSQL the second.
  ajv.addFormat(
    'date-time',
    (text: string) => isDateTime(text) && new Date(text).getTime() >= FIRST_MOMENT_MS,
  )
  ajv.addFormat('payload', true)
  return ajv
}

const FIRST_MOMENT_MS = Date.parse('0001-01-01T00:00:00Z')
