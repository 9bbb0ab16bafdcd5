import {
  JudgementSchema,
  type LetterChoice,
  LetterChoiceSchema,
  LetterListSchema,
  LetterSchema,
  Moment,
  PatchChoiceSchema,
  PatchSchema,
  PurgeSchema,
  RepairSchema,
  ReplayChoiceSchema,
  ReplaySchema,
} from '@qs-telemetry/protocol/api'
import Type from 'typebox'
import { QsError } from '../../errors/qs-error.ts'
import type { LetterFilter } from '../../letters/letter-filter.ts'
import type { RouteContext, RouteServer } from '../route-server.ts'
import { readMoment } from '../time-range.ts'

const tags = ['dead letters']
const Params = Type.Object({ id: Type.String({ pattern: '^[1-9]\\d{0,17}$' }) })

export function letterRoutes(server: RouteServer, { letters, audit }: RouteContext): void {
  server.get(
    '/api/letters',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Dead letters, newest first',
        querystring: Type.Object({
          code: Type.Optional(Type.Array(Type.String())),
          device: Type.Optional(Type.Array(Type.String())),
          since: Type.Optional(Moment),
          until: Type.Optional(Moment),
          state: Type.Optional(Type.Union([Type.Literal('open'), Type.Literal('done')])),
          after: Type.Optional(Type.String({ pattern: '^[1-9]\\d{0,17}$' })),
          limit: Type.Integer({ minimum: 1, maximum: 500, default: 50 }),
        }),
        response: { 200: LetterListSchema },
      },
    },
    async ({ query: { code, device, since, until, state, after, limit } }) => {
      const filter = filterOf({
        ...(code && { codes: code }),
        ...(device && { devices: device }),
        ...(since && { since }),
        ...(until && { until }),
        ...(state && { state }),
      })
      return letters.list(filter, { limit, ...(after !== undefined && { after }) })
    },
  )

  server.get(
    '/api/letters/:id',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'One dead letter, with its bytes',
        params: Params,
        response: { 200: LetterSchema },
      },
    },
    async ({ params: { id } }) => (await letters.show(id)) ?? missing(id),
  )

  const response = { 200: JudgementSchema }

  server.post(
    '/api/letters/:id/judge',
    {
      config: { access: 'operator' },
      bodyLimit: 32 * 1024 * 1024,
      schema: {
        tags,
        summary: 'Check a payload as the ingester would',
        params: Params,
        body: RepairSchema,
        response,
      },
    },
    async ({ params: { id }, body }) => (await letters.judge(id, body)) ?? missing(id),
  )

  server.put(
    '/api/letters/:id/repair',
    {
      config: { access: 'operator' },
      bodyLimit: 32 * 1024 * 1024,
      schema: {
        tags,
        summary: 'Store a repair; the original bytes are kept',
        params: Params,
        body: RepairSchema,
        response,
      },
    },
    async (request) => {
      const { id } = request.params
      const judgement = (await letters.repair(id, request.body)) ?? missing(id)
      await audit(request, {
        action: 'letter repaired',
        detail: { id, deviceId: request.body.deviceId ?? null },
      })
      return judgement
    },
  )

  server.post(
    '/api/letters/patch',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Apply one repair to many letters, and return the remaining problems of each',
        body: PatchChoiceSchema,
        response: { 200: PatchSchema },
      },
    },
    async (request) => {
      const { merge, dryRun = false, after = '0', ...choice } = request.body
      checkPatch(merge)
      const answer = await letters.patch(chosen(choice, 'patch'), { merge, dryRun, after })
      const changed = answer.results.filter(({ isChanged }) => isChanged).length
      if (!dryRun)
        await audit(request, {
          action: 'letters patched',
          detail: { letters: changed, merge: merge.slice(0, 1_000), choice },
        })
      return answer
    },
  )

  server.post(
    '/api/letters/replay',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Send letters again in their repaired form, and wait for the outcomes',
        body: ReplayChoiceSchema,
        response: { 200: ReplaySchema },
      },
    },
    async (request) => {
      const { now = false, ...choice } = request.body
      const answer = await letters.replay(chosen(choice, 'replay'), { asNow: now })
      const { results, left } = answer
      const ids = results.map(({ id, result }) => ({ id, result })).slice(0, 100)
      await audit(request, { action: 'letters replayed', detail: { letters: results.length, left, ids } })
      return answer
    },
  )

  server.post(
    '/api/letters/purge',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary: 'Delete letters for good, with their history',
        body: LetterChoiceSchema,
        response: { 200: PurgeSchema },
      },
    },
    async (request) => {
      const purged = await letters.purge(chosen(request.body, 'purge'))
      await audit(request, { action: 'letters purged', detail: { letters: purged, choice: request.body } })
      return { purged }
    },
  )
}

/** @throws QsError if it is not a JSON object */
function checkPatch(merge: string): void {
  try {
    const patch: unknown = JSON.parse(merge)
    if (typeof patch === 'object' && patch !== null && !Array.isArray(patch)) return
  } catch {}
  throw new QsError(
    'INVALID_REQUEST',
    'A patch is a JSON object with the fields to change, such as {"schema":1}',
  )
}

function missing(id: string): never {
  throw new QsError('NO_SUCH_DEAD_LETTER', `There is no dead letter ${id}`)
}

/** @throws QsError without ids, filter and `all` */
function chosen(choice: LetterChoice, verb: string): LetterFilter {
  const { all = false, ...rest } = choice
  if (Object.keys(rest).length === 0 && !all)
    throw new QsError(
      'INVALID_REQUEST',
      `Say what to ${verb}: ids, a filter such as codes or since, or "all": true`,
    )
  return filterOf(rest)
}

function filterOf({ ids, codes, devices, since, until, state }: Omit<LetterChoice, 'all'>): LetterFilter {
  return {
    ...(ids && { ids }),
    ...(codes && { codes }),
    ...(devices && { devices }),
    ...(since && { since: readMoment(since) }),
    ...(until && { until: readMoment(until) }),
    ...(state && { state }),
  }
}
