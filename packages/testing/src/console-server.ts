import type { TestContext } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { createConsole } from '../../qs/src/console/create-console.ts'
import { consoleServices } from '../../qs/src/console/create-services.ts'
import { gateOptions } from '../../qs/src/console/gate-options.ts'
import { LiveFeed } from '../../qs/src/console/live-feed.ts'
import { consoleAnswers } from '../../qs/src/console/process/console-answers.ts'
import type { ConsoleHost } from '../../qs/src/console/process/console-host.ts'
import { QueryPool } from '../../qs/src/database/query-pool.ts'
import { configOf } from './pipeline.ts'
import { migratedDatabase } from './postgres.ts'

/** The server of the console in this process, so that a test can control its clock or the answers of its host. */
export async function startConsoleServer(
  t: TestContext,
  settings: Readonly<Record<string, string>>,
  host: Partial<ConsoleHost> = {},
): Promise<FastifyInstance> {
  const databaseUrl = await migratedDatabase(t)
  const config = configOf(settings)
  const answers = consoleAnswers({
    vitals: () => Promise.reject(new Error('This test asks for no vitals')),
    live: new LiveFeed(),
    liveProblem: () => null,
    unhandledTopics: () => ({ topics: [], more: 0, isSampled: false, problem: null }),
    inbox: { keepsReceiveTime: true, publish: async () => null },
    simulation: null,
  })
  const services = consoleServices(
    config,
    { mqttUrl: 'mqtt://127.0.0.1:1', databaseUrl },
    {
      host: { ...answers, ...host },
      ...{ embedded: null, canSimulate: false, keepsReceiveTime: true, settings: [] },
    },
  )
  const write = new QueryPool(databaseUrl, { name: 'test', connections: 2, timeoutMs: 10_000 })
  const server = await createConsole(
    { services: { ...services, write }, gate: gateOptions(config), onFault: () => {} },
    {},
  )
  t.after(async () => {
    await server.close()
    await write.end()
  })
  return server
}
