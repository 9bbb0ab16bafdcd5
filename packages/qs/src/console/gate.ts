import { createHash, timingSafeEqual } from 'node:crypto'
import type { Role } from '@qs-telemetry/protocol/api'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { isLoopback } from '../endpoints/loopback.ts'
import { QsError } from '../errors/qs-error.ts'
import { accessOf, requireAccess } from './access.ts'
import { forwardedMark } from './forwarded-mark.ts'
import { hostnameOf, isKnownHost } from './known-host.ts'

declare module 'fastify' {
  interface Session {
    role?: Role
    /** Unix milliseconds. */
    endsAt?: number
    /** Client address of the login. */
    address?: string
  }
}

export interface GateOptions {
  /** The address the server listens on. */
  readonly host: string
  /** Host names of the console, besides names that an outsider cannot own. */
  readonly names: readonly string[]
  readonly operatorPassword: string | null
  readonly viewerPassword: string | null
}

/** The session of an authenticated request. */
export interface LoginSession {
  readonly id: string
  /** Unix milliseconds. */
  readonly endsAt: number
}

const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])
/** Counted from the login. */
export const SESSION_MS = 12 * 3_600_000

/**
 * Access control. It goes by the matched route and never by the text of the URL: the router decodes that text, so any
 * other interpretation of it can be bypassed.
 *
 * Without a password, the console is open on loopback, and everyone on this machine is operator; a request must then
 * name a loopback host and come through no proxy. With a password, a viewer may use the viewer routes and an operator
 * all routes. In both cases the Host must be one that an outsider cannot own (DNS rebinding;
 * docs/decisions/0018-the-gate.md).
 *
 * A request that changes something must come from a page of the console: a foreign page can make a browser send a
 * request, but not with this Origin. In addition, the cookie is SameSite=Strict.
 */
export class Gate {
  readonly isOpen: boolean
  readonly #names: ReadonlySet<string>
  readonly #passwords: ReadonlyMap<Role, Buffer>

  constructor({ host, names, operatorPassword, viewerPassword }: GateOptions) {
    this.#passwords = new Map(
      (
        [
          ['operator', operatorPassword],
          ['viewer', viewerPassword],
        ] as const
      ).flatMap(([role, password]) => (password === null ? [] : [[role, digest(password)] as const])),
    )
    this.isOpen = isLoopback(host) && this.#passwords.size === 0
    this.#names = new Set(names.map((name) => name.toLowerCase()))
  }

  get isLoginPossible(): boolean {
    return this.#passwords.size > 0
  }

  /** Compares digests of equal length in constant time, so that the time reveals nothing about the password. */
  isPassword(role: Role, password: string): boolean {
    const expected = this.#passwords.get(role)
    return expected !== undefined && timingSafeEqual(expected, digest(password))
  }

  /**
   * Gives the login a new session id, so that someone who knows the old one is not logged in. The store reads the
   * address and end of a session when adding it, so they are set first.
   */
  async logIn(request: FastifyRequest, role: Role): Promise<void> {
    const login = { role, endsAt: Date.now() + SESSION_MS, address: request.ip }
    Object.assign(request.session, login)
    await request.session.regenerate(Object.keys(login))
    request.session.options({ secure: request.protocol === 'https' })
  }

  roleOf(request: FastifyRequest): Role | null {
    if (this.isOpen) return 'operator'
    return this.sessionOf(request) === null ? null : (request.session.role ?? null)
  }

  /** null: the console is open, or the request is not logged in. */
  sessionOf({ session }: FastifyRequest): LoginSession | null {
    const endsAt = session?.endsAt ?? 0
    return endsAt > Date.now() ? { id: session.sessionId, endsAt } : null
  }

  /** For the audit log. */
  actorOf(request: FastifyRequest): { readonly actor: string; readonly address: string } {
    return { actor: this.isOpen ? 'local' : (this.roleOf(request) ?? 'nobody'), address: request.ip }
  }

  /** Call it before the first route and before the first plugin that adds routes. */
  guard(server: FastifyInstance): void {
    requireAccess(server)
    server.addHook('onRequest', async (request) => this.#check(request))
  }

  #check(request: FastifyRequest): void {
    this.#checkHost(request)
    if (this.isOpen) checkDirect(request)
    if (!SAFE.has(request.method)) checkOrigin(request)
    const access = accessOf(request)
    if (access === 'public') return
    const role = this.roleOf(request)
    if (role === null) throw new QsError('LOGIN_NEEDED', 'This request has no login')
    if (access === 'operator' && role !== 'operator')
      throw new QsError('OPERATOR_NEEDED', 'Viewers are read-only')
  }

  #checkHost({ host = '' }: FastifyRequest): void {
    const name = hostnameOf(host)
    if (name === null) throw new QsError('INVALID_REQUEST', 'The Host of this request is not a host name')
    if (this.isOpen) {
      if (!isLoopback(name))
        throw new QsError(
          'UNKNOWN_HOST',
          `Without a password, this console answers only to http://127.0.0.1, not to ${name}`,
        )
    } else if (!isKnownHost(name, this.#names))
      throw new QsError('UNKNOWN_HOST', `This console does not answer to the name ${name}`)
  }
}

/** Rejects requests through a proxy on this machine: everyone who can reach the proxy would be operator. */
function checkDirect({ headers, socket }: FastifyRequest): void {
  const mark = forwardedMark(headers)
  if (mark !== undefined)
    throw new QsError(
      'PROXY_WITHOUT_PASSWORD',
      `This request came through a proxy at ${socket.remoteAddress} (${mark}), and this console has no password`,
    )
}

/** Programs send no Origin; browsers send it with every request that changes something. */
function checkOrigin({ headers, host }: FastifyRequest): void {
  const { origin } = headers
  const site = headers['sec-fetch-site']
  const isOwn =
    origin === undefined
      ? site === undefined || site === 'same-origin' || site === 'none'
      : URL.canParse(origin) && new URL(origin).host === host
  if (!isOwn) {
    const page = origin ?? 'another page'
    throw new QsError('FOREIGN_PAGE', `This request comes from ${page}, not from the console`)
  }
}

function digest(password: string): Buffer {
  return createHash('sha256').update(password).digest()
}
