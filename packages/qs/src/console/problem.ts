import type { Problem } from '@qs-telemetry/protocol/api'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import type { Fault } from '../http/fault-log.ts'
import { accessOf } from './access.ts'

/** An error that becomes an HTTP answer: what is wrong and what to do (RFC 9457). */
export class HttpProblem extends Error {
  readonly statusCode: number
  readonly type: string

  constructor(statusCode: number, detail: string, type = 'about:blank') {
    super(detail)
    this.name = 'HttpProblem'
    this.statusCode = statusCode
    this.type = type
  }
}

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

/** SQLSTATE (PostgreSQL manual, appendix A). */
const [QUERY_CANCELED, INSUFFICIENT_PRIVILEGE, UNDEFINED_TABLE] = ['57014', '42501', '42P01']
const READ_ONLY = '25006'

function problemOf(error: FastifyError | Error): Problem {
  const { statusCode, code, type } = error as { statusCode?: number; code?: string; type?: string }
  const status = statusCode ?? databaseStatus(error, code)
  return {
    type: type ?? 'about:blank',
    title: TITLES[status] ?? 'Error',
    status,
    detail: detailOf(error, code, status),
  }
}

function databaseStatus(error: Error, code: string | undefined): number {
  // Class 22, data exception: the request contains a value that no column can hold.
  if (code !== undefined && /^22[0-9A-Z]{3}$/.test(code)) return 400
  if (code === INSUFFICIENT_PRIVILEGE || code === READ_ONLY) return 403
  const isDatabase = code !== undefined || /connect|timeout|terminated|Query read/i.test(error.message)
  return isDatabase ? 503 : 500
}

function detailOf(error: Error, code: string | undefined, status: number): string {
  if (error instanceof HttpProblem) return error.message
  if (code === QUERY_CANCELED || error.message === 'Query read timeout')
    return 'The query took longer than CONSOLE_QUERY_TIMEOUT. Request a shorter time range or fewer devices.'
  if (code === INSUFFICIENT_PRIVILEGE)
    return `The database role may not do this: ${error.message}. Set CONSOLE_DATABASE_URL to a role that may.`
  if (code === READ_ONLY)
    return 'The database of the console is a read-only replica. Set CONSOLE_DATABASE_URL to the primary and CONSOLE_READ_DATABASE_URL to the replica.'
  if (code === UNDEFINED_TABLE) return `The schema is not up to date: ${error.message}. Run qs migrate.`
  if (status === 503) return `The database is unavailable: ${error.message || code}. See /readyz and the log.`
  return error.message
}

export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  return reply.code(problem.status).type('application/problem+json').send(JSON.stringify(problem))
}

/** Error handler for Fastify: answers every error as a problem, and calls `onFault` for status 500 and above. */
export function errorHandler(onFault: (fault: Fault) => void) {
  return (error: FastifyError | Error, request: FastifyRequest, reply: FastifyReply) => {
    const problem = problemOf(error)
    if (problem.status >= 500) onFault(faultOf(error, problem.status, request))
    return sendProblem(reply, shownProblem(error, problem, request))
  }
}

function faultOf(error: Error, status: number, { method, routeOptions }: FastifyRequest): Fault {
  const reason = error.message || ((error as { code?: string }).code ?? error.name)
  return {
    ...{ method, route: routeOptions?.url ?? '(none)', status, reason },
    stack: status === 500 ? (error.stack ?? null) : null,
  }
}

function shownProblem(error: Error, problem: Problem, request: FastifyRequest): Problem {
  // Public routes hide database messages, which name hosts, roles and tables.
  const isHidden = !(error instanceof HttpProblem) && problem.status >= 500 && accessOf(request) === 'public'
  return isHidden ? { ...problem, detail: 'Temporarily unavailable; qs doctor shows the reason' } : problem
}

export function notFound(detail: string): HttpProblem {
  return new HttpProblem(404, detail)
}
