import { QsError } from './qs-error.ts'

/** What happened, without advice, as part of another message. */
export function reasonOf(error: unknown): string {
  if (error instanceof QsError) return error.problem
  // Several addresses were tried and none answered: Node leaves the message empty.
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join('; ')
  return (error instanceof Error && error.message.trimEnd()) || String(error)
}

/** The same for a log, with the code of the error, where it has one. */
export function logged(error: unknown): { readonly reason: string; readonly code?: string } {
  const { code } = error as { readonly code?: unknown }
  return { reason: reasonOf(error), ...(typeof code === 'string' && { code }) }
}
