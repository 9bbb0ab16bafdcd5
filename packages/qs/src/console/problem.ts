import type { Problem } from '@qs-telemetry/protocol/api'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { ERRORS, type ErrorCode } from '../errors/errors.ts'
import { QsError } from '../errors/qs-error.ts'
import { reasonOf } from '../errors/reason-of.ts'
import type { Fault } from '../http/fault-log.ts'
import { accessOf } from './access.ts'

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  409: 'Conflict',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  421: 'Misdirected Request',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
}

/** Errors of PostgreSQL by SQLSTATE (PostgreSQL manual, appendix A); the other ones mean an outage. */
const BY_SQLSTATE: Readonly<Record<string, ErrorCode>> = {
  '25006': 'DATABASE_READ_ONLY',
  '42501': 'DATABASE_FORBIDS',
  '42P01': 'SCHEMA_OUTDATED',
  '57014': 'QUERY_TOO_SLOW',
}

/** Errors of Fastify by status. */
const BY_STATUS: Readonly<Record<number, ErrorCode>> = {
  404: 'NOT_FOUND',
  413: 'REQUEST_TOO_LARGE',
  415: 'UNSUPPORTED_MEDIA_TYPE',
}

/** The body of an answer with this error (RFC 9457). */
export function problemOf({ code, message, entry }: QsError, status: number = entry.status ?? 500): Problem {
  return { type: 'about:blank', title: TITLES[status] ?? 'Error', status, code, detail: message }
}

function knownError(error: FastifyError | Error): QsError {
  if (error instanceof QsError) return error
  const { code, statusCode = 500 } = error as Partial<FastifyError>
  const reason = reasonOf(error)
  const cause = { cause: error }
  if (statusCode < 500) return new QsError(BY_STATUS[statusCode] ?? 'INVALID_REQUEST', reason, cause)
  // Class 22, data exception: the request contains a value that no column can hold.
  if (code !== undefined && /^22[0-9A-Z]{3}$/.test(code)) return new QsError('INVALID_REQUEST', reason, cause)
  const known = databaseCode(error.message, code)
  if (known === null) return new QsError('INTERNAL_ERROR', reason, cause)
  return new QsError(known, `${ERRORS[known].about.slice(0, -1)}: ${reason}`, cause)
}

function databaseCode(message: string, sqlstate: string | undefined): ErrorCode | null {
  if (message === 'Query read timeout') return 'QUERY_TOO_SLOW'
  if (sqlstate !== undefined) return BY_SQLSTATE[sqlstate] ?? 'DATABASE_UNREACHABLE'
  return /connect|timeout|terminated/i.test(message) ? 'DATABASE_UNREACHABLE' : null
}

export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  return reply.code(problem.status).type('application/problem+json').send(JSON.stringify(problem))
}

/** Error handler for Fastify: answers every error as a problem, and calls `onFault` for status 500 and above. */
export function errorHandler(onFault: (fault: Fault) => void) {
  return (error: FastifyError | Error, request: FastifyRequest, reply: FastifyReply) => {
    const known = knownError(error)
    const problem = problemOf(known, (error as Partial<FastifyError>).statusCode)
    if (problem.status >= 500) onFault(faultOf(known, problem.status, request))
    return sendProblem(reply, shownProblem(error, problem, request))
  }
}

function faultOf(error: QsError, status: number, { method, routeOptions }: FastifyRequest): Fault {
  const { stack = null } = (error.cause ?? error) as Error
  return {
    ...{ method, route: routeOptions?.url ?? '(none)', status, code: error.code, reason: error.problem },
    stack: status === 500 ? stack : null,
  }
}

function shownProblem(error: Error, problem: Problem, request: FastifyRequest): Problem {
  // Public routes hide database messages, which name hosts, roles and tables.
  const isHidden = !(error instanceof QsError) && problem.status >= 500 && accessOf(request) === 'public'
  return isHidden ? { ...problem, detail: 'Temporarily unavailable; qs doctor shows the reason' } : problem
}
