import { join } from 'node:path'
import { freePort } from '@qs-telemetry/testing/free-port.ts'
import { startChild } from '../stack/child.ts'
import { answersReady, qsCommand, tunedSettings } from './qs-command.ts'
import { ROW_AS_SENT } from './row-as-sent.ts'
import type { Subject, SubjectContext } from './subject.ts'
import { whenReady } from './when-ready.ts'

export const ingester: Subject = {
  title: 'qs ingest',
  guarantee:
    'device ack and PUBACK after COMMIT; duplicates and conflicts distinguished; a bad event costs only itself',
  confirmedBy: 'device acks',
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
  const shared =
    sharedBy === null
      ? {}
      : { MQTT_EVENTS_TOPIC: '$share/qs/qs/v1/+/events', MQTT_CLIENT_ID: `qs-ingester-${place + 1}` }
  return startChild({
    name: sharedBy === null ? 'qs ingest' : `qs ingest ${place + 1}`,
    command: qsCommand('ingest', profileDirectory),
    env: {
      ...tunedSettings,
      ...shared,
      MQTT_URL: broker.url,
      DATABASE_URL: databaseUrl,
      HTTP_PORT: String(httpPort),
      LOG_LEVEL: 'info',
      // What sealing costs is measured by bench:sealing, by turns.
      SEAL_AFTER: 'never',
    },
    directory,
    logFile: join(directory, `ingester-${place + 1}.log`),
  })
}
