import { LoginSchema, type Session, SessionSchema } from '@qs-telemetry/protocol/api'
import type { FastifyRequest } from 'fastify'
import Type from 'typebox'
import { QsError } from '../../errors/qs-error.ts'
import type { RouteContext, RouteServer } from '../route-server.ts'

/** Attempts per address. Ten in five minutes are useless for guessing, and a typo does not lock out for long. */
const LOGIN_LIMIT = { max: 10, timeWindow: '5 minutes' }

export function sessionRoutes(server: RouteServer, { audit, gate, streams }: RouteContext): void {
  const answer = (role: Session['role']): Session => ({
    loginNeeded: !gate.isOpen,
    loginPossible: gate.isLoginPossible,
    role,
  })
  const endStreams = (request: FastifyRequest) => {
    const session = gate.sessionOf(request)
    if (session !== null) streams.endSession(session.id)
  }

  server.get(
    '/api/session',
    {
      config: { access: 'public' },
      schema: { tags: ['session'], summary: 'The current session', response: { 200: SessionSchema } },
    },
    async (request) => answer(gate.roleOf(request)),
  )

  server.post(
    '/api/login',
    {
      config: { access: 'public', rateLimit: LOGIN_LIMIT },
      schema: { tags: ['session'], summary: 'Log in', body: LoginSchema, response: { 200: SessionSchema } },
    },
    async (request) => {
      const { name, password } = request.body
      if (!gate.isPassword(name, password)) {
        await audit(request, { action: 'login refused', detail: { name } })
        throw new QsError('WRONG_PASSWORD', 'Wrong password')
      }
      endStreams(request)
      await gate.logIn(request, name)
      await audit(request, { action: 'login', detail: { name } })
      return answer(name)
    },
  )

  server.post(
    '/api/logout',
    {
      config: { access: 'public' },
      schema: { tags: ['session'], summary: 'Log out', response: { 204: Type.Null() } },
    },
    async (request, reply) => {
      endStreams(request)
      if (!gate.isOpen) await request.session.destroy()
      return reply.code(204).send(null)
    },
  )
}
