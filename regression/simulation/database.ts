import type { QueryConfig, QueryResult } from 'pg'
import type { Connection, CopyQuery } from '../../packages/qs/src/sink/connection.ts'
import { Backend } from './backend.ts'
import type { StatementFault } from './faults.ts'
import { STATEMENT_FAULTS } from './faults.ts'
import { contentOfRow, Tables } from './tables.ts'
import { DatabaseError } from './transaction.ts'
import type { World } from './world.ts'

const RETRYABLE = ['08006', '25006', '53100', '53200', '53300', '55P03', '57014', '57P01', 'XX000'] as const
const DEADLOCK = ['40001', '40P01'] as const
const ROW = ['22003', '23514', '54000'] as const
const STOP = ['42P01', '42501', '3D000', '28P01'] as const
/** The server's keep-alive: it may hold the transaction of a client that vanished silently for this long. */
const MAX_NOTICE_MS = 11_000

/** PostgreSQL as the sink sees it, with all its faults. */
export class Database {
  isAway = false
  readonly tables = new Tables()
  readonly #world: World
  readonly #minute: () => string
  readonly #connections = new Set<SimulatedConnection>()
  #frozenUntilMs = 0

  constructor(world: World, minute: () => string) {
    this.#world = world
    this.#minute = minute
  }

  async connect(timeoutMs: number): Promise<Connection> {
    const { timeline, random, faults } = this.#world
    const pause = (ms: number) => new Promise<void>((resolve) => timeline.after(ms, resolve))
    if (this.#frozenUntilMs > timeline.nowMs) {
      await pause(timeoutMs)
      throw new Error('timeout expired')
    }
    await pause(faults.latencyMs * (1 + random.next()))
    if (this.isAway) throw new Error('connect ECONNREFUSED')
    if (faults.isOn && random.chance(faults.statement.stop)) throw new DatabaseError('28P01', 'password')
    if (faults.isOn && random.chance(faults.statement.retryable)) throw new DatabaseError('53300', 'slots')
    const connection = new SimulatedConnection(
      this.#world,
      new Backend(this.tables, this.#minute, () => this.#committed()),
      () => this.#frozenUntilMs,
    )
    this.#connections.add(connection)
    return connection
  }

  freezeFor(ms: number): void {
    this.#frozenUntilMs = this.#world.timeline.nowMs + ms
  }

  /** The server of these connections no longer takes writes; new connections reach the one that does. */
  failOver(): void {
    for (const connection of this.#connections) connection.isReadOnly = true
  }

  /** Crash recovery: committed rows stay, all else is gone. */
  restart(): void {
    for (const connection of this.#connections) connection.lose()
    this.#connections.clear()
  }

  /** Reports to the checker what another session would see now. */
  #committed(): void {
    const { checker } = this.#world
    for (const row of this.tables.newEvents.splice(0)) checker.stored(row.id, contentOfRow(row))
    for (const { device_id, event_id, code, payload } of this.tables.newLetters.splice(0)) {
      const text = Buffer.from(payload, 'base64').toString()
      checker.deadLettered({ deviceId: device_id, eventId: event_id, code, payload: text })
    }
    const sums = { received: 0, stored: 0, duplicate: 0, rejected: 0 }
    for (const { value, owner } of this.tables.stats.values()) {
      if (owner !== null) return
      sums.received += value.received
      sums.stored += value.stored
      sums.duplicate += value.duplicate
      sums.rejected += value.rejected
    }
    checker.accounted(sums)
  }
}

interface Asked {
  readonly query: QueryConfig
  readonly resolve: (answer: QueryResult) => void
  readonly reject: (error: Error) => void
}

/** A connection of the sink. After the client drops it, sent statements still execute until the server notices. */
class SimulatedConnection implements Connection {
  readonly #world: World
  readonly #backend: Backend
  readonly #frozenUntilMs: () => number
  isReadOnly = false
  readonly maySkipRows = false
  readonly #queue: Asked[] = []
  /** Unanswered queries. */
  readonly #open = new Set<Asked>()
  #isOpen = true
  #isServed = true
  #isBusy = false
  #isSilent = false

  constructor(world: World, backend: Backend, frozenUntilMs: () => number) {
    this.#world = world
    this.#backend = backend
    this.#frozenUntilMs = frozenUntilMs
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  query(query: QueryConfig): Promise<QueryResult> {
    if (!this.#isOpen) return Promise.reject(new Error('Client was closed and is not queryable'))
    return new Promise((resolve, reject) => {
      const asked = { query, resolve, reject }
      this.#open.add(asked)
      this.#world.timeline.after(this.#latencyMs(), () => {
        this.#queue.push(asked)
        this.#serve()
      })
    })
  }

  async copy({ name, text, data }: CopyQuery): Promise<number> {
    const { rowCount } = await this.query({ name, text, values: [data] })
    return rowCount ?? 0
  }

  destroy(): void {
    if (!this.#isOpen) return
    this.#hangUp('Connection terminated')
    const { timeline, random, faults } = this.#world
    const noticeMs = random.chance(0.5) ? faults.latencyMs : random.next() * MAX_NOTICE_MS
    timeline.after(noticeMs, () => this.#endBackend())
  }

  /** Breaks the connection; both sides notice. */
  lose(): void {
    this.#endBackend()
    this.#hangUp('Connection terminated unexpectedly')
  }

  #hangUp(reason: string): void {
    this.#isOpen = false
    this.#world.timeline.after(0, () => {
      for (const { reject } of this.#open) reject(new Error(reason))
      this.#open.clear()
    })
  }

  #endBackend(): void {
    this.#isServed = false
    this.#queue.length = 0
    this.#backend.end()
  }

  /** Answers of one connection arrive in order, so it has one latency. */
  #latencyMs(): number {
    return this.#world.faults.latencyMs
  }

  #serve(): void {
    if (this.#isBusy || !this.#isServed) return
    const asked = this.#queue.shift()
    if (asked === undefined) return
    this.#isBusy = true
    const { timeline, random, faults } = this.#world
    const slowMs = faults.isOn && random.chance(0.2) ? random.next() * faults.slowStatementMs : 0
    const frozenMs = Math.max(0, this.#frozenUntilMs() - timeline.nowMs)
    timeline.after(frozenMs + 0.1 + slowMs, () => {
      void this.#execute(asked).then(() => {
        this.#isBusy = false
        this.#serve()
      })
    })
  }

  async #execute(asked: Asked): Promise<void> {
    if (!this.#isServed) return
    const { tell } = this.#world
    const what = asked.query.name ?? asked.query.text
    const fault = this.#chooseFault(asked.query)
    if (fault !== null) tell?.('database', `${what}: ${fault}`)
    if (fault === 'lostBefore') return this.lose()
    const code = this.isReadOnly && isWrite(asked.query) ? '25006' : this.#codeOf(fault)
    if (code !== null) {
      this.#backend.fail()
      return this.#answer(asked, () => asked.reject(new DatabaseError(code, `simulated ${code} at ${what}`)))
    }
    let settle: () => void
    try {
      const answer = await this.#backend.execute(asked.query)
      if (answer.command === 'COMMIT') tell?.('database', 'committed')
      settle = () => asked.resolve(answer as QueryResult)
    } catch (error) {
      if (!(error instanceof DatabaseError)) this.#world.checker.violations.push(String(error))
      settle = () => asked.reject(error as Error)
    }
    // The session may have ended while it waited for a lock.
    if (!this.#isServed) return
    if (fault === 'lostAfter') return this.lose()
    if (fault === 'silent') this.#isSilent = true
    this.#answer(asked, settle)
  }

  #answer(asked: Asked, settle: () => void): void {
    if (this.#isSilent) return
    this.#world.timeline.after(this.#latencyMs(), () => {
      if (this.#open.delete(asked)) settle()
    })
  }

  #chooseFault({ name, text }: QueryConfig): StatementFault | null {
    const { faults, random } = this.#world
    if (!faults.isOn) return null
    for (const fault of STATEMENT_FAULTS) {
      if (faults.statement[fault] === 0 || !random.chance(faults.statement[fault])) continue
      // Row faults hit other rows; events have poison instead, or a good one would be refused.
      if (fault === 'row' && (name === undefined || name === 'insert-events' || name === 'copy-events'))
        return null
      const isLoss = fault === 'lostBefore' || fault === 'lostAfter' || fault === 'silent'
      // These fail only when the session ends.
      if (!isLoss && (text === 'begin' || text === 'rollback')) return null
      return fault
    }
    return null
  }

  #codeOf(fault: StatementFault | null): string | null {
    const { random } = this.#world
    if (fault === 'retryable') return random.pick(RETRYABLE)
    if (fault === 'deadlock') return random.pick(DEADLOCK)
    if (fault === 'row') return random.pick(ROW)
    return fault === 'stop' ? random.pick(STOP) : null
  }
}

function isWrite({ name }: QueryConfig): boolean {
  return name !== undefined
}
