import { isUtf8 } from 'node:buffer'
import type { Letter, LetterRepair, PatchAnswer } from '@qs-telemetry/protocol/api'
import type { Config } from '../config/settings.ts'
import type { QueryPool } from '../database/query-pool.ts'
import { findLetter, type StoredLetter } from '../letters/find-letter.ts'
import type { ReplayTime } from '../letters/judge-replay.ts'
import { countLetters, type LetterFilter } from '../letters/letter-filter.ts'
import { letterSteps } from '../letters/letter-history.ts'
import { advice, letterProblems } from '../letters/letter-problems.ts'
import { listLetters, onlyCounted } from '../letters/list-letters.ts'
import { purgeLetters } from '../letters/purge-letters.ts'
import { letterNow, patchLetter, repairLetter } from '../letters/repair-letter.ts'
import { replayAll } from '../letters/replay-all.ts'
import { type AckInbox, type ReplayResult, replayLetter } from '../letters/replay-letter.ts'
import { storedEvent } from '../letters/stored-event.ts'
import { newestLetterId, takeLetters } from '../letters/take-letters.ts'
import type { LetterService } from './services.ts'

export interface LetterServiceOptions {
  readonly config: Config
  readonly read: QueryPool
  readonly write: QueryPool
  readonly inbox: AckInbox
}

/** Letters per request; for more, the page sends further requests. */
const REPLAY_AT_ONCE = 300
/** Problems shown per letter in a list. */
const MAX_PROBLEMS = 5
const REPLAY_TIMEOUT_MS = 10_000

/** The dead-letter commands for the console, on its own connections. */
export function letterService({ config, read, write, inbox }: LetterServiceOptions): LetterService {
  const withLetter = <T>(
    id: string,
    work: (database: Parameters<Parameters<QueryPool['use']>[0]>[0], letter: StoredLetter) => Promise<T>,
  ): Promise<T | null> =>
    write.use(async (database) => {
      const letter = await findLetter(database, id)
      return letter === null ? null : work(database, letter)
    })

  return {
    list: (filter, { limit, after }) =>
      read.use(async (database) => {
        // One extra row shows whether there is a next page.
        const page = { limit: limit + 1, ...(after !== undefined && { after }) }
        const found = await listLetters(database, filter, page)
        const counted = await onlyCounted(database, filter)
        return {
          letters: found.slice(0, limit),
          counted: [...counted],
          next: found.length > limit ? (found[limit - 1]?.id ?? null) : null,
        }
      }),

    // On the primary: a replica may not have the latest repair yet.
    show: (id) =>
      withLetter(id, async (database, letter) => {
        const history = await letterSteps(database, id)
        const stored = await storedEvent(database, letter, config)
        const now = await letterNow(database, letter)
        const problems = await letterProblems(database, { ...letter, ...now }, config)
        return tell(letter, {
          now: { ...encode(now.payload), deviceId: now.repairedDeviceId, problems: [...problems] },
          storedEvent: stored === null ? null : (JSON.parse(stored) as unknown),
          history: [...history],
        })
      }),

    judge: (id, repair) =>
      withLetter(id, async (database, letter) => {
        const repaired = { ...letter, payload: decode(repair), repairedDeviceId: repair.deviceId ?? null }
        return { problems: [...(await letterProblems(database, repaired, config))] }
      }),

    repair: (id, repair) =>
      withLetter(id, async (database, letter) => {
        const change = () => decode(repair)
        const deviceId = repair.deviceId ?? null
        const { problems } = await repairLetter(database, letter, { change, deviceId, config })
        return { problems: [...problems] }
      }),

    patch: (filter, { merge, dryRun, after }) =>
      write.use(async (database) => {
        const pages = firstOf(takeLetters(database, filter, await newestLetterId(database), after))
        const results: PatchAnswer['results'] = []
        for await (const letters of pages) {
          for (const letter of letters) {
            const { problems, ...rest } = await patchLetter(database, letter, { config, merge, dryRun })
            results.push({ ...rest, problems: problems.slice(0, MAX_PROBLEMS) })
          }
        }
        return { results, next: results.length < REPLAY_AT_ONCE ? null : (results.at(-1)?.id ?? null) }
      }),

    replay: (filter, { asNow }) =>
      write.use(async (database) => {
        const newestBefore = await newestLetterId(database)
        const total = await countLetters(database, filter, newestBefore)
        const results: ReplayResult[] = []
        const time: ReplayTime = asNow ? 'now' : inbox.keepsReceiveTime ? 'kept' : 'aged'
        const context = {
          config,
          inbox,
          timeoutMs: REPLAY_TIMEOUT_MS,
          again: false,
          time,
          seen: new Map<string, string>(),
          newestBefore,
        }
        await replayAll(firstOf(takeLetters(database, filter, newestBefore)), {
          // Each on its own connection: a pg client runs one query at a time.
          replay: (letter) => write.use((own) => replayLetter(letter, { ...context, database: own })),
          onResult: (result) => results.push(result),
        })
        return {
          results: results.map(({ eventIds, ...result }) => ({ ...result, eventIds: [...eventIds] })),
          left: total - results.length,
        }
      }),

    purge: (filter: LetterFilter) =>
      write.use(async (database) => {
        const upTo = await newestLetterId(database)
        let purged = 0
        for await (purged of purgeLetters(database, filter, upTo));
        return purged
      }),
  }
}

async function* firstOf<T>(pages: AsyncIterable<readonly T[]>): AsyncGenerator<readonly T[]> {
  let left = REPLAY_AT_ONCE
  for await (const page of pages) {
    yield page.slice(0, left)
    left -= page.length
    if (left <= 0) return
  }
}

function tell(letter: StoredLetter, rest: Pick<Letter, 'now' | 'storedEvent' | 'history'>): Letter {
  const { id, receivedAt, topic, deviceId, eventId, code, error, trace, payload } = letter
  return {
    ...{ id, receivedAt, topic, deviceId, eventId, code, error, trace },
    advice: advice(code),
    original: encode(payload),
    ...rest,
  }
}

function encode(payload: Buffer): Letter['original'] {
  return isUtf8(payload)
    ? { payload: payload.toString(), encoding: 'utf-8' }
    : { payload: payload.toString('base64'), encoding: 'base64' }
}

function decode({ payload, encoding = 'utf-8' }: LetterRepair): Buffer {
  return Buffer.from(payload, encoding)
}
