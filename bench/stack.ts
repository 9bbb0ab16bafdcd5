import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Broker, startBroker } from './broker.ts'
import type { Child } from './child.ts'
import { type Database, startDatabase } from './database.ts'
import type { Scenario } from './scenarios.ts'
import { startSubject } from './subject.ts'

export interface Stack {
  readonly database: Database
  /** Runs `work` on a fresh broker, database and subject, and takes them away however it ends. */
  with<T>(scenario: Scenario, signal: AbortSignal, work: (bed: TestBed) => Promise<T>): Promise<T>
  stop(): Promise<void>
}

/** What one scenario runs on. Only PostgreSQL itself is shared with the others. */
export interface TestBed {
  readonly broker: Broker
  readonly databaseUrl: string
  readonly subject: Child
  readonly postgresPid: number
}

export interface StackOptions {
  /** The parent of its temporary directory. What lies on its disk decides what a COMMIT costs. */
  readonly parentDirectory: string
  readonly profileDirectory: string | null
  readonly autosaveChanges: number
}

export async function startStack(options: StackOptions): Promise<Stack> {
  const { parentDirectory, profileDirectory, autosaveChanges } = options
  const root = mkdtempSync(join(parentDirectory, 'qs-bench-'))
  // As root, PostgreSQL runs under another account, which has to get in.
  chmodSync(root, 0o755)
  const removeRoot = () => rmSync(root, { recursive: true, force: true, maxRetries: 5 })
  // For an end that nobody expected.
  process.once('exit', removeRoot)
  let database: Database
  try {
    database = await startDatabase(join(root, 'database'))
  } catch (error) {
    removeRoot()
    throw error
  }

  return {
    database,
    with: async (scenario, signal, work) => {
      const { name } = scenario
      const directory = join(root, name)
      let broker: Broker | null = null
      let subject: Child | null = null
      try {
        broker = await startBroker({ directory, autosaveChanges, signal })
        const databaseUrl = await database.fresh(name)
        const context = { broker, databaseUrl, directory, profileDirectory, signal }
        subject = await startSubject[scenario.subject](context)
        return await work({ broker, databaseUrl, subject, postgresPid: database.pid })
      } finally {
        await subject?.stop()
        await broker?.child.stop()
        // Where PostgreSQL itself is gone, that is not the news. All of it goes with the cluster.
        await database.drop(name).catch(() => {})
        rmSync(directory, { recursive: true, force: true })
      }
    },
    stop: async () => {
      await database.stop()
      removeRoot()
      process.off('exit', removeRoot)
    },
  }
}
