import { LoginSchema, type Session, SessionSchema } from '@qs-telemetry/protocol/api'
import Type from 'typebox'
import type { Gate } from '../gate.ts'
import { HttpProblem } from '../problem.ts'
import type { RouteContext, RouteServer } from '../route-server.ts'

/** Tries of one address. Ten in five minutes guess nothing, and a person who mistypes is not locked out for long. */
const LOGIN_LIMIT = { max: 10, timeWindow: '5 minutes' }

export function sessionRoutes(server: RouteServer, { audit }: RouteContext, gate: Gate): void {
  const answer = (role: Session['role']): Session => ({
    loginNeeded: !gate.isOpen,
    loginPossible: gate.isLoginPossible,
    role,
  })

  server.get(
    '/api/session',
    { schema: { tags: ['session'], summary: 'Who am I', response: { 200: SessionSchema } } },
    async (request) => answer(gate.roleOf(request)),
  )

  server.post(
    '/api/login',
    {
      config: { rateLimit: LOGIN_LIMIT },
      schema: { tags: ['session'], summary: 'Log in', body: LoginSchema, response: { 200: SessionSchema } },
    },
    async (request) => {
      const { name, password } = request.body
      if (!gate.isPassword(name, password)) {
        await audit(request, { action: 'login refused', detail: { name } })
        throw new HttpProblem(401, 'This password is not right')
      }
      // A session of before the login must not become one that is logged in.
      await request.session.regenerate()
      request.session.options({ secure: request.protocol === 'https' })
      request.session.role = name
      await audit(request, { action: 'login', detail: { name } })
      return answer(name)
    },
  )

  server.post(
    '/api/logout',
    { schema: { tags: ['session'], summary: 'Log out', response: { 204: Type.Null() } } },
    async (request, reply) => {
      if (!gate.isOpen) await request.session.destroy()
      return reply.code(204).send(null)
    },
  )
}
