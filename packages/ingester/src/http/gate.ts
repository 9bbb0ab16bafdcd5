import { createHash, timingSafeEqual } from 'node:crypto'
import type { Role } from '@qs-telemetry/protocol/api'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { isLoopback } from '../broker/loopback.ts'
import { HttpProblem } from './problem.ts'

declare module 'fastify' {
  interface Session {
    role?: Role
  }
}

export interface GateOptions {
  /** Where it listens. */
  readonly host: string
  readonly operatorPassword: string | null
  readonly viewerPassword: string | null
}

const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])
/** Whoever wants to log in cannot be logged in yet. */
const PUBLIC: ReadonlySet<string> = new Set(['/api/session', '/api/login', '/api/logout'])

/**
 * Who gets in. On loopback, without a password, everybody who uses this machine; then a request has to name a loopback
 * host, since a foreign page may point a name of its own at 127.0.0.1 (DNS rebinding). Everywhere else a viewer may
 * look and an operator may also change.
 *
 * What changes something has to come from the console's own pages: a foreign page can make a browser send a request,
 * but not with our Origin. The cookie is SameSite=Strict besides.
 */
export class Gate {
  readonly isOpen: boolean
  readonly #passwords: ReadonlyMap<Role, Buffer>

  constructor({ host, operatorPassword, viewerPassword }: GateOptions) {
    this.#passwords = new Map(
      (
        [
          ['operator', operatorPassword],
          ['viewer', viewerPassword],
        ] as const
      ).flatMap(([role, password]) => (password === null ? [] : [[role, digest(password)] as const])),
    )
    this.isOpen = isLoopback(host) && this.#passwords.size === 0
  }

  get isLoginPossible(): boolean {
    return this.#passwords.size > 0
  }

  /** Compares digests, which have one length: the time says nothing about the password. */
  isPassword(role: Role, password: string): boolean {
    const expected = this.#passwords.get(role)
    return expected !== undefined && timingSafeEqual(expected, digest(password))
  }

  roleOf(request: FastifyRequest): Role | null {
    return this.isOpen ? 'operator' : (request.session?.role ?? null)
  }

  /** For the audit log. */
  actorOf(request: FastifyRequest): { readonly actor: string; readonly address: string } {
    return { actor: this.isOpen ? 'local' : (this.roleOf(request) ?? 'nobody'), address: request.ip }
  }

  guard(server: FastifyInstance): void {
    server.addHook('onRequest', async (request) => this.#check(request))
  }

  #check(request: FastifyRequest): void {
    const [path = '/'] = request.url.split('?')
    if (this.isOpen && !isLoopback(request.hostname))
      throw new HttpProblem(421, `This console is open only to http://127.0.0.1, not to ${request.hostname}`)
    if (!path.startsWith('/api/')) return
    const isSafe = SAFE.has(request.method)
    if (!isSafe) checkOrigin(request)
    if (PUBLIC.has(path)) return
    const role = this.roleOf(request)
    if (role === null) throw new HttpProblem(401, 'Log in first: POST /api/login')
    if (!isSafe && role !== 'operator')
      throw new HttpProblem(403, 'A viewer may look. To change something, log in as operator')
  }
}

/** Programs send no Origin; browsers send it with everything that changes something. */
function checkOrigin({ headers, host }: FastifyRequest): void {
  const { origin } = headers
  const site = headers['sec-fetch-site']
  const isOwn =
    origin === undefined
      ? site === undefined || site === 'same-origin' || site === 'none'
      : URL.canParse(origin) && new URL(origin).host === host
  if (!isOwn)
    throw new HttpProblem(403, `This request comes from ${origin ?? 'another page'}, not from the console`)
}

function digest(password: string): Buffer {
  return createHash('sha256').update(password).digest()
}
