import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Scenario } from '../scenario.ts'
import type { Running } from '../subjects/subject.ts'
import { SUBJECTS } from '../subjects/subjects.ts'
import { type Broker, startBroker } from './broker.ts'
import { type Database, startDatabase } from './database.ts'

export interface Stack {
  readonly database: Database
  /** For all its files. */
  readonly directory: string
  /** Runs `work` on a fresh broker, and in any case stops it afterwards with everything started there. */
  with<T>(options: BedOptions, work: (bed: TestBed) => Promise<T>): Promise<T>
  stop(): Promise<void>
}

export interface BedOptions {
  readonly scenario: Scenario
  /** An existing database, which is kept; null: a new one for this run. */
  readonly databaseUrl: string | null
  readonly signal: AbortSignal
}

/** What one scenario runs on. Only PostgreSQL itself is shared with the others. */
export interface TestBed {
  readonly scenario: Scenario
  readonly broker: Broker
  readonly databaseUrl: string
  readonly database: Database
  readonly directory: string
  /** Starts the subject, on another database if one is given. Resolves when it is ready. */
  start(databaseUrl?: string): Promise<Running>
}

export interface StackOptions {
  /** The parent of its temporary directory. Its disk determines the cost of a COMMIT. */
  readonly parentDirectory: string
  readonly profileDirectory: string | null
}

export async function startStack(options: StackOptions): Promise<Stack> {
  const { parentDirectory, profileDirectory } = options
  const root = mkdtempSync(join(parentDirectory, 'qs-bench-'))
  // Under root, PostgreSQL runs as another account, which needs access.
  chmodSync(root, 0o755)
  const removeRoot = () => rmSync(root, { recursive: true, force: true, maxRetries: 5 })
  // For an unexpected exit.
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
    directory: root,
    with: async ({ scenario, databaseUrl, signal }, work) => {
      const { name } = scenario
      const directory = join(root, name)
      let broker: Broker | null = null
      const started: Running[] = []
      try {
        broker = await startBroker({ directory, signal })
        const url = databaseUrl ?? (await database.fresh(name))
        const { sharedBy, eventsPerMessage } = scenario
        const context = { broker, directory, profileDirectory, signal, sharedBy, eventsPerMessage }
        const start = async (otherUrl?: string) => {
          const place = { ...context, databaseUrl: otherUrl ?? url }
          const running = await SUBJECTS[scenario.subject].start(place)
          started.push(running)
          return running
        }
        return await work({ scenario, broker, databaseUrl: url, database, directory, start })
      } finally {
        for (const { children } of started) for (const child of children) await child.stop()
        await broker?.child.stop()
        // If PostgreSQL itself is gone, this failure does not matter: the database goes with the cluster.
        if (databaseUrl === null) await database.drop(name).catch(() => {})
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
