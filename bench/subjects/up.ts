import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '@qs-telemetry/testing/free-port.ts'
import { startChild } from '../stack/child.ts'
import { answersReady, qsCommand, tunedSettings } from './qs-command.ts'
import { ROW_AS_SENT } from './row-as-sent.ts'
import type { Subject } from './subject.ts'
import { whenReady } from './when-ready.ts'

/** All devices come from one address. */
const MAX_CONNECTIONS = '20000'

/** With the PostgreSQL of the bench, like every subject, so that its CPU time does not include PostgreSQL's. */
export const up: Subject = {
  title: 'qs up',
  guarantee: 'PUBACK after COMMIT, on the connection of the device; duplicates and conflicts distinguished',
  confirmedBy: 'pubacks',
  rowAsSent: ROW_AS_SENT,
  probe: async () => ({ versions: { Node: process.versions.node } }),
  start: async ({ databaseUrl, directory, profileDirectory, signal }) => {
    const dataDirectory = join(directory, 'up')
    mkdirSync(dataDirectory)
    const [mqttPort, wsPort, httpPort] = [await freePort(), await freePort(), await freePort()]
    const startedMs = performance.now()
    const child = startChild({
      name: 'qs up',
      command: qsCommand('up', profileDirectory),
      env: {
        ...tunedSettings,
        DATABASE_URL: databaseUrl,
        QS_DATA_DIR: dataDirectory,
        MQTT_PORT: String(mqttPort),
        MQTT_WS_PORT: String(wsPort),
        HTTP_PORT: String(httpPort),
        MQTT_MAX_CONNECTIONS: MAX_CONNECTIONS,
        MQTT_MAX_CONNECTIONS_PER_ADDRESS: MAX_CONNECTIONS,
        LOG_LEVEL: 'info',
      },
      directory,
      logFile: join(directory, 'up.log'),
    })
    const running = await whenReady([child], startedMs, { signal, isReady: () => answersReady(httpPort) })
    return { ...running, mqttPort }
  },
}
