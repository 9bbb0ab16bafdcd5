import { Ajv, type Options } from 'ajv'
import addFormats from 'ajv-formats'
import type { FastifySchemaCompiler } from 'fastify'

const OPTIONS: Options = { useDefaults: true, allErrors: false, strict: false }

/**
 * What comes in an address is text and becomes numbers, and a list where one is wanted; a JSON body is taken at its
 * word: there null is no empty text.
 */
export function validatorCompiler(): FastifySchemaCompiler<object> {
  const forText = formats(new Ajv({ ...OPTIONS, coerceTypes: 'array' }))
  const forJson = formats(new Ajv(OPTIONS))
  return ({ schema, httpPart }) => (httpPart === 'body' ? forJson : forText).compile(schema)
}

function formats(ajv: Ajv): Ajv {
  // CommonJS, whose default is the function itself.
  const add = addFormats as unknown as (ajv: Ajv) => void
  add(ajv)
  return ajv
}
