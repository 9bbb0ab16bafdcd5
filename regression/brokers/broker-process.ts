import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { freePort } from '@qs-telemetry/testing/free-port.ts'
import { leash } from '@qs-telemetry/testing/leash.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import { connectAsync } from 'mqtt'
import type { BrokerKind, NodePlace } from './broker-kinds.ts'

export interface RunningBroker {
  /** Of all nodes, for MQTT_URL. */
  readonly urls: string
  /** SIGKILL. */
  kill(node: number): Promise<void>
  /** Again with the same data. */
  start(node: number): Promise<void>
}

/** A JVM on two busy cores. */
const START_MS = 120_000

/** The nodes of a broker, on 127.0.0.1, killed after the test. */
export async function startBroker(t: TestContext, kind: BrokerKind, program: string): Promise<RunningBroker> {
  const indexes = [...Array(kind.nodes).keys()]
  const directory = mkdtempSync(join(tmpdir(), `qs-${kind.folder}-`))
  const ports = await Promise.all(indexes.map(freePort))
  const clusterPorts = await Promise.all(indexes.map(freePort))
  const places = indexes.map((index): NodePlace => {
    return { index, port: ports[index] as number, clusterPorts, folder: join(directory, String(index)) }
  })
  const processes = new Map<number, { readonly child: ChildProcess; readonly output: () => string }>()
  const spawnNode = (node: number) => {
    const { command, env } = kind.run(places[node] as NodePlace)
    const [file, ...args] = command
    const child = spawn(file.startsWith('.') ? join(program, file) : file, args, {
      cwd: program,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    leash(child)
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (text: Buffer) => {
        output = `${output}${text}`.slice(-4_000)
      })
    processes.set(node, { child, output: () => output })
  }
  const ready = async (node: number) => {
    const { child, output } = processes.get(node) ?? {}
    const isUp = async () => {
      if (child?.exitCode !== null) throw new Error(`${kind.name} did not start:\n${output?.()}`)
      return takesSession(ports[node] as number)
    }
    await until(isUp, `${kind.name} takes sessions on ${ports[node]}`, START_MS)
  }
  const kill = async (node: number) => {
    const { child } = processes.get(node) ?? {}
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }
  t.after(async () => {
    await Promise.all(indexes.map(kill))
    rmSync(directory, { recursive: true, force: true })
  })
  for (const node of indexes) spawnNode(node)
  await Promise.all(indexes.map(ready))
  return {
    urls: ports.map((port) => `mqtt://127.0.0.1:${port}`).join(','),
    kill,
    start: async (node) => {
      spawnNode(node)
      await ready(node)
    },
  }
}

/** A cluster listens before it has elected its leaders, and takes no session until then. */
async function takesSession(port: number): Promise<boolean> {
  try {
    const options = { protocolVersion: 4, reconnectPeriod: 0, connectTimeout: 2_000 } as const
    const client = await connectAsync(`mqtt://127.0.0.1:${port}`, options, false)
    await client.endAsync(true)
    return true
  } catch {
    return false
  }
}
