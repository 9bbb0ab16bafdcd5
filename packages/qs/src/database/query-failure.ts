import type { ErrorCode } from '../errors/errors.ts'
import { QsError } from '../errors/qs-error.ts'
import { reasonOf } from '../errors/reason-of.ts'

/** SQLSTATE (PostgreSQL manual, appendix A). */
const [LOCK_NOT_AVAILABLE, QUERY_CANCELED] = ['55P03', '57014']
/** Connection exceptions, and a server that stops, starts or has crashed. */
const CONNECTION = /^(08|57P)/
/** What `pg` and `pg-pool` (8.23, 3.14) say if the server is silent, or the connection ends. They have no code. */
const NO_ANSWER = 'Query read timeout'
const NO_CONNECTION = /^(Connection terminated|timeout expired|timeout exceeded when trying to connect)/

/**
 * The failure of a query as an error with advice, if the reason is that PostgreSQL is slow or away. All other errors are
 * returned unchanged.
 */
export function queryFailure(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof QsError) return error
  const { code = '', message } = error as Error & { readonly code?: string }
  const failure = (which: 'DATABASE_NO_ANSWER' | 'DATABASE_UNREACHABLE', problem: string) =>
    new QsError(which, problem, { cause: error })
  if (code === LOCK_NOT_AVAILABLE)
    return failure('DATABASE_NO_ANSWER', 'Another session holds a lock that a query needs')
  if (code === QUERY_CANCELED)
    return failure('DATABASE_NO_ANSWER', `PostgreSQL cancelled a query: ${message}`)
  if (message === NO_ANSWER) return failure('DATABASE_NO_ANSWER', 'PostgreSQL did not answer a query in time')
  if (CONNECTION.test(code) || NO_CONNECTION.test(message))
    return failure('DATABASE_UNREACHABLE', `PostgreSQL ended a query: ${reasonOf(error)}`)
  return error
}

/** What a statement of a command meets with the wrong role, login or database; by SQLSTATE. */
const WRONG_URL: readonly (readonly [sqlstate: RegExp, code: ErrorCode, problem: string])[] = [
  [/^(28|3D)/, 'DATABASE_LOGIN_REFUSED', 'PostgreSQL refuses the login'],
  [/^42501$/, 'ROLE_FORBIDS', 'The role of DATABASE_URL may not do this'],
  // Undefined table, column and function.
  [/^42(P01|703|883)$/, 'SCHEMA_OUTDATED', 'The database has no tables of qs, or those of an older version'],
]

/** Any error of a command with a code and advice: UNEXPECTED if nothing is known about it. */
export function asQsError(error: unknown): QsError {
  const failure = queryFailure(error)
  if (failure instanceof QsError) return failure
  const { code = '' } = failure as { readonly code?: unknown }
  const known = WRONG_URL.find(([sqlstate]) => typeof code === 'string' && sqlstate.test(code))
  if (known === undefined) return new QsError('UNEXPECTED', reasonOf(failure), { cause: failure })
  return new QsError(known[1], `${known[2]}: ${reasonOf(failure)}`, { cause: failure })
}
