import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from '@qs-telemetry/testing/free-port.ts'
import { startChild } from '../stack/child.ts'
import { cacheDirectory } from './cache-directory.ts'
import { ROW_AS_SENT } from './row-as-sent.ts'
import { runTool } from './run-tool.ts'
import type { Probe, Subject } from './subject.ts'
import { whenReady } from './when-ready.ts'

/** The newest version for this Node: 5 needs 22.9. */
const VERSION = isNode([22, 9]) ? '5.0.7' : '4.1.15'
const CLIENT_ID = 'bench-node-red'
/** Larger batches were not faster. */
const BATCH_EVENTS = 500

const FLOW = fileURLToPath(new URL('../peers/node-red/flow.json', import.meta.url))
const SETTINGS = fileURLToPath(new URL('../peers/node-red/settings.cjs', import.meta.url))

/** Sources of the guarantee: 10-mqtt.js of Node-RED subscribes with MQTT.js, which answers when the handler returns. */
export const nodeRed: Subject = {
  title: 'Node-RED',
  guarantee:
    'device ack after COMMIT; PUBACK on arrival, before the write: what it holds when it dies is lost to the broker, ' +
    'and so is a batch with a bad event or while PostgreSQL is away; only a device that resends makes up for it',
  confirmedBy: 'device acks',
  rowAsSent: ROW_AS_SENT,
  probe,
  start: async ({ broker, databaseUrl, directory, eventsPerMessage, signal }) => {
    const userDirectory = join(directory, 'node-red')
    mkdirSync(userDirectory)
    writeFileSync(join(userDirectory, 'package.json'), '{ "private": true }\n')
    const flow = join(userDirectory, 'flow.json')
    copyFileSync(FLOW, flow)
    const port = await freePort()
    const startedMs = performance.now()
    const child = startChild({
      name: 'node-red',
      command: [process.execPath, redJs(), '--settings', SETTINGS, '--userDir', userDirectory, flow],
      env: {
        PATH: process.env.PATH,
        HOME: userDirectory,
        NODE_RED_PORT: String(port),
        MQTT_PORT: String(broker.port),
        MQTT_CLIENT_ID: CLIENT_ID,
        BATCH_MESSAGES: String(Math.max(1, BATCH_EVENTS / eventsPerMessage)),
        DATABASE_URL: databaseUrl,
      },
      directory,
      logFile: join(directory, 'node-red.log'),
    })
    return whenReady([child], startedMs, { signal, isReady: () => broker.hasSubscriber(CLIENT_ID) })
  },
}

function redJs(): string {
  return join(cacheDirectory(`node-red-${VERSION}`), 'node_modules/node-red/red.js')
}

async function probe(say: (text: string) => void): Promise<Probe> {
  if (!existsSync(redJs())) {
    say(`installing Node-RED ${VERSION} once, with npm: a minute`)
    const directory = cacheDirectory(`node-red-${VERSION}`)
    writeFileSync(join(directory, 'package.json'), '{ "private": true }\n')
    const options = ['--no-audit', '--no-fund', '--omit=dev']
    const missing = await runTool(['npm', 'install', ...options, `node-red@${VERSION}`], { directory })
    if (missing !== null) return { missing }
  }
  return { versions: { 'Node-RED': VERSION } }
}

function isNode([major, minor]: readonly [number, number]): boolean {
  const [ownMajor = 0, ownMinor = 0] = process.versions.node.split('.').map(Number)
  return ownMajor > major || (ownMajor === major && ownMinor >= minor)
}
