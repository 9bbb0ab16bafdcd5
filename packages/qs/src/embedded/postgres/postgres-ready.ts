import { setTimeout as wait } from 'node:timers/promises'
import { Client, escapeIdentifier } from 'pg'
import { QsError } from '../../errors/qs-error.ts'
import type { Log } from '../../telemetry/log.ts'

const LIMIT_MS = 60_000
/**
 * Replaying up to 2 GB of WAL from an SD card takes minutes, and an interruption would only restart it.
 */
const RECOVERY_LIMIT_MS = 30 * 60_000
const RECOVERY_NOTE_MS = 10_000

/** SQLSTATEs of a server that is running but not ready. */
const STARTING_UP = '57P03'
const NO_SUCH_DATABASE = '3D000'
const WRONG_PASSWORD = '28P01'

export interface ReadyOptions {
  /** Throws if waiting is pointless. */
  readonly check: () => void
  readonly passwordFile: string
  readonly log: Log
}

/** Waits until the database of the URL answers, and creates it if missing, on the first start. */
export async function untilReady(url: string, options: ReadyOptions): Promise<void> {
  const started = performance.now()
  let recoverySince: number | null = null
  let noted = started
  for (let pauseMs = 20; ; pauseMs = Math.min(pauseMs * 1.5, 250)) {
    options.check()
    let code = await tryOnce(url)
    if (code === null) return
    if (code === NO_SUCH_DATABASE) code = await createDatabase(url)
    if (code === null) continue
    if (code === WRONG_PASSWORD) {
      throw new QsError(
        'POSTGRES_PASSWORD_FILE',
        `${options.passwordFile} does not contain the password of the embedded database`,
      )
    }
    const now = performance.now()
    if (code === STARTING_UP) recoverySince ??= now
    if (code === STARTING_UP && now - noted > RECOVERY_NOTE_MS) {
      noted = now
      options.log.info('PostgreSQL is still recovering from an unclean shutdown')
    }
    if (now - started > (recoverySince === null ? LIMIT_MS : RECOVERY_LIMIT_MS)) {
      throw new QsError(
        'POSTGRES_START_FAILED',
        `PostgreSQL still does not accept connections after ${Math.round((now - started) / 1000)} s (${code})`,
      )
    }
    await wait(pauseMs)
  }
}

/** Connects, and runs a statement if there is one. @returns null, or the SQLSTATE or text of the failure */
async function tryOnce(url: string, statement: string | null = null): Promise<string | null> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000 })
  client.on('error', () => {})
  try {
    await client.connect()
    if (statement !== null) await client.query(statement)
    return null
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  } finally {
    await client.end()
  }
}

async function createDatabase(url: string): Promise<string | null> {
  const admin = new URL(url)
  const name = admin.pathname.slice(1)
  admin.pathname = '/postgres'
  return tryOnce(admin.href, `create database ${escapeIdentifier(name)}`)
}
