import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type {
  FastifyBaseLogger,
  FastifyInstance,
  FastifyRequest,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify'
import type { Gate } from './gate.ts'
import type { LiveStreams } from './live-streams.ts'
import type { AuditEntry } from './queries/audit.ts'
import type { ConsoleServices } from './services.ts'

/** Fastify with requests and answers typed by their schemas. */
export type RouteServer = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>

export interface RouteContext extends ConsoleServices {
  readonly gate: Gate
  readonly streams: LiveStreams
  /** Adds an entry to the audit log. */
  readonly audit: (request: FastifyRequest, entry: Pick<AuditEntry, 'action' | 'detail'>) => Promise<void>
}
