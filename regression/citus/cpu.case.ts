import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { debianBin } from '@qs-telemetry/testing/debian-postgres.ts'
import { Load } from '../../bench/load/load.ts'
import { treeCpuSeconds } from '../../bench/runs/process-usage.ts'
import { up } from '../../bench/subjects/up.ts'
import { Postgres } from '../integrity/postgres.ts'
import { Citus, citusMissing } from './cluster.ts'

/** CPU is compared, not time: these processes share the machine with whatever else runs. */
const LOADS = [
  { name: 'single events', eventsPerMessage: 1, events: 100_000 },
  { name: 'arrays of 100', eventsPerMessage: 100, events: 200_000 },
] as const
const WARM_UP_SHARE = 0.1
const WINDOW_EVENTS = 20_000

interface Server {
  readonly url: string
  readonly nodes: readonly Postgres[]
}

const SERVERS: Readonly<Record<string, (t: TestContext) => Promise<Server>>> = {
  'one PostgreSQL': async (t) => {
    const postgres = await Postgres.open(t, { bin: debianBin() })
    return { url: postgres.url, nodes: [postgres] }
  },
  'Citus, as documented': async (t) => serverOf(await Citus.open(t)),
  'Citus, in parallel': async (t) => {
    const citus = await Citus.open(t)
    await citus.coordinator.query('alter database qs reset citus.multi_shard_modify_mode')
    return serverOf(citus)
  },
}

for (const [server, open] of Object.entries(SERVERS))
  for (const { name, eventsPerMessage, events } of LOADS)
    test(`CPU of a million events: ${server}, ${name}`, { skip: citusMissing }, async (t) => {
      const { url, nodes } = await open(t)
      const { mqttPort, children } = await startUp(t, url)
      const warmUp = events * WARM_UP_SHARE
      const load = await Load.connect({
        ...{ port: mqttPort as number, devices: 100, connections: 100, eventsPerMessage, boot: 1 },
        ...{ ids: 'ordered', resendEvery: 0, events: warmUp + events, confirmations: 'pubacks' },
        onLost: (reason) => assert.fail(reason),
      })
      await load.flood(warmUp, WINDOW_EVENTS, t.signal)
      const pids = [...nodes.map(({ pid }) => pid), ...children.map(({ pid }) => pid)]
      const before = pids.map(treeCpuSeconds)
      const { seconds } = await load.flood(events, WINDOW_EVENTS, t.signal)
      const [coordinator, ...others] = pids.map((pid, n) => {
        const used = Number(treeCpuSeconds(pid)) - Number(before[n])
        return ((used * 1e6) / events).toFixed(1)
      })
      t.diagnostic(`${server}, ${name}: ${Math.round(events / seconds)} events/s`)
      t.diagnostic(
        `CPU s a million: PostgreSQL or coordinator ${coordinator}, workers and qs up ${others.join(', ')}`,
      )
      assert.deepEqual(load.faults(), [])
      assert.equal(load.confirmed, warmUp + events)
      load.close()
    })

function serverOf({ coordinator, workers }: Citus): Server {
  return { url: coordinator.url, nodes: [coordinator, ...workers] }
}

async function startUp(t: TestContext, databaseUrl: string) {
  const directory = mkdtempSync(join(tmpdir(), 'qs-citus-up-'))
  t.after(() => rmSync(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }))
  const context = { databaseUrl, directory, profileDirectory: null, signal: t.signal }
  const running = await up.start(context as Parameters<typeof up.start>[0])
  t.after(() => Promise.all(running.children.map((child) => child.stop())))
  return running
}
