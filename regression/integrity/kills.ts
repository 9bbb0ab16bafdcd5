import type { Gate } from './gate.ts'
import type { IngesterProcess } from './ingester.ts'
import { lasting } from './lasting.ts'

/** Where a process is killed. Each resolves when it is dead. */
export type Kills = Readonly<Record<string, () => Promise<void>>>

/**
 * The kills that `qs ingest` and `qs up` have in common.
 *
 * @param commit holds transactions inside COMMIT
 * @param answer what follows COMMIT, for the name
 */
export function commonKills(ingester: IngesterProcess, commit: Gate, answer: string): Kills {
  return {
    'inside COMMIT': async () => {
      await commit.close()
      await commit.holds()
      await ingester.kill()
      await commit.open()
    },
    [`between COMMIT and ${answer}`]: async () => {
      await commit.close()
      await commit.holds()
      await ingester.kill('SIGSTOP')
      await commit.open()
      await commit.passed()
      await ingester.kill()
    },
    'in its start': async () => {
      await ingester.kill()
      ingester.start()
      await lasting(Math.random() * 1_000)
      await ingester.kill()
    },
  }
}
