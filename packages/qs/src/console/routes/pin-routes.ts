import { PinnedListSchema, PinSchema } from '@qs-telemetry/protocol/api'
import { QsError } from '../../errors/qs-error.ts'
import { listPinned, MAX_PINNED, pinReading, unpinReading } from '../queries/pinned.ts'
import type { RouteContext, RouteServer } from '../route-server.ts'

const tags = ['devices']
const response = { 200: PinnedListSchema }

export function pinRoutes(server: RouteServer, { read, write, audit }: RouteContext): void {
  server.get(
    '/api/pinned',
    {
      config: { access: 'viewer' },
      schema: { tags, summary: 'The readings shown first on the overview', response },
    },
    async () => ({ pinned: [...(await listPinned(read))] }),
  )

  server.put(
    '/api/pinned',
    {
      config: { access: 'operator' },
      schema: { tags, summary: 'Pin or unpin a reading for all users', body: PinSchema, response },
    },
    async (request) => {
      const { isPinned, ...name } = request.body
      if (!isPinned) await unpinReading(write, name)
      else if (!(await pinReading(write, name)))
        throw new QsError('TOO_MANY_PINS', `${MAX_PINNED} readings are already pinned`)
      await audit(request, { action: isPinned ? 'reading pinned' : 'reading unpinned', detail: name })
      return { pinned: [...(await listPinned(write))] }
    },
  )
}
