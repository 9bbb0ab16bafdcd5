import { setTimeout as wait } from 'node:timers/promises'
import { Client } from 'pg'
import type { Log } from '../../telemetry/log.ts'

const LIMIT_MS = 60_000
/**
 * Reading up to 2 GB of WAL again from an SD card takes minutes, and ending it half way would only start it
 * over.
 */
const RECOVERY_LIMIT_MS = 30 * 60_000
const RECOVERY_NOTE_MS = 10_000

/** SQLSTATEs of an answer that says: alive, not yet. */
const STARTING_UP = '57P03'
const NO_SUCH_DATABASE = '3D000'
const WRONG_PASSWORD = '28P01'

export interface ReadyOptions {
  /** Throws where waiting makes no sense any more. */
  readonly check: () => void
  readonly passwordFile: string
  readonly log: Log
}

/** Waits until the database of the URL answers, and creates it where it is missing: on the first start. */
export async function untilReady(url: string, options: ReadyOptions): Promise<void> {
  const started = performance.now()
  let recoverySince: number | null = null
  let noted = started
  for (let pauseMs = 20; ; pauseMs = Math.min(pauseMs * 1.5, 250)) {
    options.check()
    const code = await connectOnce(url)
    if (code === null) return
    if (code === NO_SUCH_DATABASE) await createDatabase(url)
    if (code === WRONG_PASSWORD) {
      throw new Error(
        `${options.passwordFile} does not hold the password of the embedded database. ` +
          'Remove the file and start again: a new password is set then, the data stays.',
      )
    }
    const now = performance.now()
    if (code === STARTING_UP) recoverySince ??= now
    if (code === STARTING_UP && now - noted > RECOVERY_NOTE_MS) {
      noted = now
      options.log.info('PostgreSQL is still recovering from an unclean end')
    }
    if (now - started > (recoverySince === null ? LIMIT_MS : RECOVERY_LIMIT_MS)) {
      throw new Error(
        `PostgreSQL does not accept connections after ${Math.round((now - started) / 1000)} s (${code})`,
      )
    }
    if (code !== NO_SUCH_DATABASE) await wait(pauseMs)
  }
}

async function connectOnce(url: string): Promise<string | null> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000 })
  client.on('error', () => {})
  try {
    await client.connect()
    return null
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  } finally {
    await client.end()
  }
}

async function createDatabase(url: string): Promise<void> {
  const admin = new URL(url)
  const name = admin.pathname.slice(1)
  admin.pathname = '/postgres'
  const client = new Client({ connectionString: admin.href, connectionTimeoutMillis: 5_000 })
  await client.connect()
  try {
    await client.query(`create database ${client.escapeIdentifier(name)}`)
  } finally {
    await client.end()
  }
}
