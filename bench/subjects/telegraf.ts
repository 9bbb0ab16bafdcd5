import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startChild } from '../stack/child.ts'
import { queryRow } from '../stack/query-row.ts'
import { cacheDirectory } from './cache-directory.ts'
import { runTool } from './run-tool.ts'
import type { Probe, Subject } from './subject.ts'
import { whenReady } from './when-ready.ts'

const VERSION = '1.37.2'
/** Telegraf's way to select plugins: building all of them would take half an hour. */
const TAGS = 'custom,inputs.mqtt_consumer,outputs.postgresql,parsers.json'
const CLIENT_ID = 'bench-telegraf'
/** The most events it holds, in messages of any size; far below its buffer size, above which it would drop. */
const UNDELIVERED_EVENTS = 20_000

const config = fileURLToPath(new URL('../peers/telegraf/telegraf.conf', import.meta.url))
const table = new URL('../peers/telegraf/table.sql', import.meta.url)

/** Sources of the guarantee: mqtt_consumer.go, onDelivered; postgresql.go, writeSequential and writeConcurrent. */
export const telegraf: Subject = {
  title: 'Telegraf',
  guarantee:
    'PUBACK after COMMIT, on one connection (with pool_max_conns above 1 before it); no device ack; ' +
    'one bad or duplicate event costs its whole batch, which is logged, dropped and PUBACKed',
  confirmedBy: 'rows',
  rowAsSent: `value between 18 and 28 and unit = '°C' and event_type = 'temp' and schema = 1 and meta_fw = '1.4.2'
    and ts > now() - interval '1 hour'`,
  probe,
  start: async ({ broker, databaseUrl, directory, eventsPerMessage, signal }) => {
    await queryRow(databaseUrl, readFileSync(table, 'utf8'))
    const startedMs = performance.now()
    const child = startChild({
      name: 'telegraf',
      command: [binary(), '--config', config],
      env: {
        MQTT_SERVER: `tcp://127.0.0.1:${broker.port}`,
        MQTT_CLIENT_ID: CLIENT_ID,
        MAX_UNDELIVERED_MESSAGES: String(UNDELIVERED_EVENTS / eventsPerMessage),
        DATABASE_URL: databaseUrl,
      },
      directory,
      logFile: join(directory, 'telegraf.log'),
    })
    return whenReady([child], startedMs, { signal, isReady: () => broker.hasSubscriber(CLIENT_ID) })
  },
}

function binary(): string {
  return join(cacheDirectory(`telegraf-${VERSION}`), 'telegraf')
}

async function probe(say: (text: string) => void): Promise<Probe> {
  if (!existsSync(binary())) {
    say(`building Telegraf ${VERSION} once, with Go: some minutes`)
    const directory = cacheDirectory(`telegraf-${VERSION}`)
    const module = `github.com/influxdata/telegraf/cmd/telegraf@v${VERSION}`
    const missing = await runTool(['go', 'install', '-tags', TAGS, '-ldflags', '-s -w', module], {
      directory,
      env: { GOBIN: directory, CGO_ENABLED: '0' },
    })
    if (missing !== null) return { missing }
  }
  return { versions: { Telegraf: VERSION } }
}
