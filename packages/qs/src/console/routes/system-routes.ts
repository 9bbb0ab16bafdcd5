import {
  AuditSchema,
  OverviewSchema,
  SimulationSchema,
  StorageSchema,
  SystemSchema,
} from '@qs-telemetry/protocol/api'
import Type from 'typebox'
import { QsError } from '../../errors/qs-error.ts'
import { listAudit } from '../queries/audit.ts'
import type { RouteContext, RouteServer } from '../route-server.ts'
import type { SimulationService } from '../services.ts'

const tags = ['system']

export function systemRoutes(server: RouteServer, context: RouteContext): void {
  const { system, overview, storage, simulation, read, audit } = context

  server.get(
    '/api/system',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Version, topics and features of this system',
        response: { 200: SystemSchema },
      },
    },
    async () => system(),
  )

  server.get(
    '/api/overview',
    {
      config: { access: 'viewer' },
      schema: { tags, summary: 'Current state of the system', response: { 200: OverviewSchema } },
    },
    async () => overview(),
  )

  server.get(
    '/api/storage',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'What uses the disk, and how long it lasts',
        response: { 200: StorageSchema },
      },
    },
    async () => storage(),
  )

  server.get(
    '/api/audit',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'The audit log',
        querystring: Type.Object({ limit: Type.Integer({ minimum: 1, maximum: 1_000, default: 100 }) }),
        response: { 200: AuditSchema },
      },
    },
    async ({ query }) => listAudit(read, query.limit),
  )

  const response = { 200: SimulationSchema }

  server.get(
    '/api/simulation',
    {
      config: { access: 'viewer' },
      schema: { tags, summary: 'Whether simulated devices are running', response },
    },
    async () => (simulation === null ? { running: false, devices: 0 } : simulation.state()),
  )

  server.post(
    '/api/simulation',
    { config: { access: 'operator' }, schema: { tags, summary: 'Start simulated devices', response } },
    async (request) => {
      const service = needed(simulation)
      await service.start()
      await audit(request, { action: 'simulation started', detail: {} })
      return service.state()
    },
  )

  server.post(
    '/api/simulation/stop',
    {
      config: { access: 'operator' },
      schema: { tags, summary: 'Stop simulated devices; their data stays', response },
    },
    async (request) => {
      const service = needed(simulation)
      await service.stop()
      await audit(request, { action: 'simulation stopped', detail: {} })
      return service.state()
    },
  )

  server.delete(
    '/api/simulation',
    {
      config: { access: 'operator' },
      schema: { tags, summary: 'Stop simulated devices and remove their data', response },
    },
    async (request) => {
      const service = needed(simulation)
      const events = await service.remove()
      await audit(request, { action: 'simulated data removed', detail: { events } })
      return service.state()
    },
  )
}

function needed(simulation: SimulationService | null): SimulationService {
  if (simulation !== null) return simulation
  throw new QsError('NO_SIMULATION', 'Only the console of qs up can simulate devices')
}
