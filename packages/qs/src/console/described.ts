import type { FastifySchema } from 'fastify'

interface Described {
  readonly required?: readonly string[]
  readonly properties?: Readonly<Record<string, { readonly default?: unknown }>>
}

/** For the description: a parameter with a default need not be given. (For a handler it is there in any case.) */
export function described<T extends FastifySchema>(schema: T | undefined): T {
  const { querystring, ...rest } = (schema ?? {}) as { querystring?: Described }
  if (querystring?.required === undefined) return (schema ?? {}) as T
  const { required, properties } = querystring
  const needed = required.filter((name) => properties?.[name]?.default === undefined)
  return { ...rest, querystring: { ...querystring, required: needed } } as unknown as T
}
