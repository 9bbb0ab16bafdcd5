import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from '../packages/ingester/test/support/free-port.ts'
import { until } from '../packages/ingester/test/support/until.ts'
import type { Broker } from './broker.ts'
import { type Child, startChild } from './child.ts'
import type { SubjectName } from './scenarios.ts'

export interface SubjectContext {
  readonly broker: Broker
  readonly databaseUrl: string
  readonly directory: string
  /** Where a CPU profile of the ingester goes, or null. */
  readonly profileDirectory: string | null
  readonly signal: AbortSignal
}

const INGESTER = fileURLToPath(new URL('../packages/ingester/bin/qs.js', import.meta.url))
const ONE_BY_ONE = fileURLToPath(new URL('baseline/one_by_one.py', import.meta.url))
const PYTHON = process.env.BENCH_PYTHON ?? '/usr/bin/python3'
const READY_TIMEOUT_MS = 30_000

/** Settings that are handed on, so that they can be compared; the report names those that are set. */
const TUNABLE = [
  'DATABASE_WRITERS',
  'IN_FLIGHT_MESSAGES',
  'IN_FLIGHT_BYTES',
  'BATCH_EVENTS',
  'BATCH_BYTES',
  'ACK_QOS',
] as const

export const tunedSettings: Readonly<Record<string, string>> = Object.fromEntries(
  TUNABLE.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])),
)

/** The process that is measured, connected to broker and database. No event has been through it yet. */
export const startSubject: Readonly<Record<SubjectName, (context: SubjectContext) => Promise<Child>>> = {
  ingester: startIngester,
  'one-by-one': startOneByOne,
}

async function startIngester(context: SubjectContext): Promise<Child> {
  const { broker, databaseUrl, directory, profileDirectory } = context
  const httpPort = await freePort()
  const profile = profileDirectory === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDirectory}`]
  const child = startChild({
    name: 'qs ingest',
    command: [process.execPath, ...profile, INGESTER, 'ingest'],
    env: {
      ...tunedSettings,
      MQTT_URL: broker.url,
      DATABASE_URL: databaseUrl,
      HTTP_PORT: String(httpPort),
      LOG_LEVEL: 'info',
    },
    directory,
    logFile: join(directory, 'ingester.log'),
  })
  return whenReady(child, context.signal, () => isReady(httpPort))
}

async function startOneByOne(context: SubjectContext): Promise<Child> {
  const { broker, databaseUrl, directory, signal } = context
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
  return whenReady(child, signal, () => child.output().includes('ready'))
}

type Probe = { readonly versions: Readonly<Record<string, string>> } | { readonly missing: string }

/** Versions of what the baseline needs, or why it cannot run. */
export function probeBaseline(): Probe {
  const script =
    'import json, sys, paho.mqtt, psycopg2\n' +
    'print(json.dumps({"Python": sys.version.split()[0], "paho-mqtt": paho.mqtt.__version__, ' +
    '"psycopg2": psycopg2.__version__.split()[0]}))'
  const { error, status, stdout, stderr } = spawnSync(PYTHON, ['-c', script], { encoding: 'utf8' })
  if (error) return { missing: `${PYTHON} does not start (${error.message}); BENCH_PYTHON names another` }
  if (status !== 0) return { missing: `${PYTHON}: ${stderr.trim().split('\n').at(-1)}` }
  return { versions: JSON.parse(stdout) as Readonly<Record<string, string>> }
}

async function whenReady(
  child: Child,
  signal: AbortSignal,
  isReady: () => Promise<boolean> | boolean,
): Promise<Child> {
  const check = () => {
    signal.throwIfAborted()
    child.check()
    return isReady()
  }
  try {
    await until(check, 'the ingester is ready', READY_TIMEOUT_MS)
    return child
  } catch (error) {
    await child.stop()
    throw error
  }
}

async function isReady(httpPort: number): Promise<boolean> {
  try {
    const answer = await fetch(`http://127.0.0.1:${httpPort}/readyz`, { signal: AbortSignal.timeout(2_000) })
    return answer.ok
  } catch {
    return false
  }
}
