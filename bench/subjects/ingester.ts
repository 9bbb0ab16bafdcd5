import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from '@qs-telemetry/testing/free-port.ts'
import { startChild } from '../stack/child.ts'
import { ROW_AS_SENT } from './row-as-sent.ts'
import type { Subject, SubjectContext } from './subject.ts'
import { whenReady } from './when-ready.ts'

const QS = fileURLToPath(new URL('../../packages/qs/bin/qs.js', import.meta.url))
/** Node's flags, from its first line. */
const FLAGS =
  readFileSync(QS, 'utf8')
    .split('\n')[0]
    ?.split(' ')
    .filter((word) => word.startsWith('--')) ?? []

/** Settings that are passed on, so that they can be compared; the report names those that are set. */
const TUNABLE = [
  'DATABASE_WRITERS',
  'IN_FLIGHT_MESSAGES',
  'IN_FLIGHT_BYTES',
  'BATCH_BYTES',
  'ACK_QOS',
] as const

export const tunedSettings: Readonly<Record<string, string>> = Object.fromEntries(
  TUNABLE.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])),
)

export const ingester: Subject = {
  title: 'qs ingest',
  guarantee:
    'device ack and PUBACK after COMMIT; duplicates and conflicts distinguished; a bad event costs only itself',
  acksDevices: true,
  rowAsSent: ROW_AS_SENT,
  probe: async () => ({ versions: { Node: process.versions.node } }),
  start: async (context) => {
    const ports: number[] = []
    for (let place = 0; place < (context.sharedBy ?? 1); place++) ports.push(await freePort())
    const startedMs = performance.now()
    const children = ports.map((httpPort, place) => startOne(context, httpPort, place))
    const isReady = (place: number) => answersReady(ports[place] as number)
    return whenReady(children, startedMs, { signal: context.signal, isReady })
  },
}

function startOne(context: SubjectContext, httpPort: number, place: number) {
  const { broker, databaseUrl, directory, profileDirectory, sharedBy } = context
  const profile = profileDirectory === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDirectory}`]
  const shared =
    sharedBy === null
      ? {}
      : { MQTT_EVENTS_TOPIC: '$share/qs/qs/v1/+/events', MQTT_CLIENT_ID: `qs-ingester-${place + 1}` }
  return startChild({
    name: sharedBy === null ? 'qs ingest' : `qs ingest ${place + 1}`,
    command: [process.execPath, ...FLAGS, ...profile, QS, 'ingest'],
    env: {
      ...tunedSettings,
      ...shared,
      MQTT_URL: broker.url,
      DATABASE_URL: databaseUrl,
      HTTP_PORT: String(httpPort),
      LOG_LEVEL: 'info',
    },
    directory,
    logFile: join(directory, `ingester-${place + 1}.log`),
  })
}

async function answersReady(httpPort: number): Promise<boolean> {
  try {
    const answer = await fetch(`http://127.0.0.1:${httpPort}/readyz`, { signal: AbortSignal.timeout(2_000) })
    return answer.ok
  } catch {
    return false
  }
}
