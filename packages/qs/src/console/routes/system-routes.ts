import { AuditSchema, OverviewSchema, SimulationSchema, SystemSchema } from '@qs-telemetry/protocol/api'
import Type from 'typebox'
import { HttpProblem } from '../problem.ts'
import { listAudit } from '../queries/audit.ts'
import type { RouteContext, RouteServer } from '../route-server.ts'
import type { SimulationService } from '../services.ts'

const tags = ['system']

export function systemRoutes(server: RouteServer, context: RouteContext): void {
  const { system, overview, simulation, read, audit } = context

  server.get(
    '/api/system',
    {
      config: { access: 'viewer' },
      schema: { tags, summary: 'What runs here', response: { 200: SystemSchema } },
    },
    async () => system(),
  )

  server.get(
    '/api/overview',
    {
      config: { access: 'viewer' },
      schema: { tags, summary: 'How it goes', response: { 200: OverviewSchema } },
    },
    async () => overview(),
  )

  server.get(
    '/api/audit',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Who did what',
        querystring: Type.Object({ limit: Type.Integer({ minimum: 1, maximum: 1_000, default: 100 }) }),
        response: { 200: AuditSchema },
      },
    },
    async ({ query }) => listAudit(read, query.limit),
  )

  const response = { 200: SimulationSchema }

  server.get(
    '/api/simulation',
    { config: { access: 'viewer' }, schema: { tags, summary: 'Whether simulated devices run', response } },
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
    { config: { access: 'operator' }, schema: { tags, summary: 'Stop them; their data stays', response } },
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
      schema: { tags, summary: 'Stop them and remove all that came from them', response },
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
  throw new HttpProblem(
    409,
    'Devices are simulated here only by qs up, which has a broker of its own. Elsewhere: qs simulate',
  )
}
