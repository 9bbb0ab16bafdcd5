import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startChild } from '../stack/child.ts'
import { ROW_AS_SENT } from './row-as-sent.ts'
import type { Probe, Subject } from './subject.ts'
import { whenReady } from './when-ready.ts'

const ONE_BY_ONE = fileURLToPath(new URL('../peers/one-by-one/one_by_one.py', import.meta.url))
const PYTHON = process.env.BENCH_PYTHON ?? '/usr/bin/python3'

export const oneByOne: Subject = {
  title: 'the original way (Python)',
  guarantee:
    'device ack after COMMIT, PUBACK after both; duplicates detected; a bad event or a lost connection ends it',
  confirmedBy: 'device acks',
  rowAsSent: ROW_AS_SENT,
  probe: async () => probe(),
  start: async ({ broker, databaseUrl, directory, signal }) => {
    const startedMs = performance.now()
    const child = startChild({
      name: 'one_by_one.py',
      command: [PYTHON, ONE_BY_ONE],
      env: {
        PATH: process.env.PATH,
        MQTT_HOST: '127.0.0.1',
        MQTT_PORT: String(broker.port),
        DATABASE_URL: databaseUrl,
      },
      directory,
      logFile: join(directory, 'one-by-one.log'),
    })
    const isReady = () => child.output().includes('ready')
    return whenReady([child], startedMs, { signal, isReady })
  },
}

function probe(): Probe {
  const script =
    'import json, sys, paho.mqtt, psycopg2\n' +
    'print(json.dumps({"Python": sys.version.split()[0], "paho-mqtt": paho.mqtt.__version__, ' +
    '"psycopg2": psycopg2.__version__.split()[0]}))'
  const { error, status, stdout, stderr } = spawnSync(PYTHON, ['-c', script], { encoding: 'utf8' })
  if (error) return { missing: `${PYTHON} does not start (${error.message}); BENCH_PYTHON can name another` }
  if (status !== 0) return { missing: `${PYTHON}: ${stderr.trim().split('\n').at(-1)}` }
  return { versions: JSON.parse(stdout) as Readonly<Record<string, string>> }
}
