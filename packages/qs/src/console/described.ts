import type { FastifySchema } from 'fastify'

interface Described {
  readonly required?: readonly string[]
  readonly properties?: Readonly<Record<string, { readonly default?: unknown }>>
}

/** Makes parameters with a default optional in the API description. (Handlers always get a value.) */
export function described<T extends FastifySchema>(schema: T | undefined): T {
  const { querystring, ...rest } = (schema ?? {}) as { querystring?: Described }
  if (querystring?.required === undefined) return (schema ?? {}) as T
  const { required, properties } = querystring
  const needed = required.filter((name) => properties?.[name]?.default === undefined)
  return { ...rest, querystring: { ...querystring, required: needed } } as unknown as T
}
