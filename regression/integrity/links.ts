import type { TestContext } from 'node:test'
import { mosquittoMissing } from '@qs-telemetry/testing/mosquitto.ts'
import { until } from '@qs-telemetry/testing/until.ts'
import { FaultProxy } from '../../packages/qs/src/verify/fault-proxy.ts'
import { type DirectStage, type DirectStageOptions, openDirectStage } from './direct-stage.ts'
import type { IngesterProcess } from './ingester.ts'
import { PubackObserver } from './puback-observer.ts'
import { patience } from './scale.ts'
import { openStage, type Stage, type StageOptions } from './stage.ts'

/** A stage with faulty links. */
export interface Linked {
  readonly stage: Stage | DirectStage
  /** Between broker and ingester, or with `qs up` between broker and devices. */
  readonly brokerLink: FaultProxy
  /** Between the pipeline and PostgreSQL. */
  readonly databaseLink: FaultProxy
}

/** A stage whose first ingester has faulty links. */
export interface LinkedStage extends Linked {
  readonly stage: Stage
  /** What passed on `brokerLink`. */
  readonly pubacks: PubackObserver
}

/** Opens a stage with a fault proxy on both links of each ingester, and observes every PUBACK. */
export async function openLinkedStage(
  t: TestContext,
  options: Omit<StageOptions, 'wrapBroker' | 'wrapDatabase'>,
): Promise<LinkedStage> {
  const [brokerLinks, databaseLinks, observers]: [FaultProxy[], FaultProxy[], PubackObserver[]] = [[], [], []]
  const stage = await openStage(t, {
    ...options,
    wrapBroker: async (url, { checker, witness }) => {
      const observer = new PubackObserver(`ingester ${observers.length + 1}`, { checker, witness })
      observers.push(observer)
      return through(t, url, brokerLinks, observer)
    },
    wrapDatabase: (url) => through(t, url, databaseLinks),
  })
  return {
    stage,
    brokerLink: brokerLinks[0] as FaultProxy,
    databaseLink: databaseLinks[0] as FaultProxy,
    pubacks: observers[0] as PubackObserver,
  }
}

/** Opens `qs up` with a fault proxy between it and its devices, and between it and PostgreSQL. */
export async function openLinkedDirectStage(
  t: TestContext,
  options: Omit<DirectStageOptions, 'wrapBroker' | 'wrapDatabase'>,
): Promise<Linked & { readonly stage: DirectStage }> {
  const [brokerLinks, databaseLinks]: [FaultProxy[], FaultProxy[]] = [[], []]
  const stage = await openDirectStage(t, {
    ...options,
    wrapBroker: (url) => through(t, url, brokerLinks),
    wrapDatabase: (url) => through(t, url, databaseLinks),
  })
  return {
    stage,
    brokerLink: brokerLinks[0] as FaultProxy,
    databaseLink: databaseLinks[0] as FaultProxy,
  }
}

/** Both stacks with faulty links. */
export const LINKED_STACKS = [
  { name: '', skip: mosquittoMissing, open: openLinkedStage },
  { name: 'qs up: ', skip: false, open: openLinkedDirectStage },
] as const

async function through(
  t: TestContext,
  url: string,
  links: FaultProxy[],
  observer?: PubackObserver,
): Promise<string> {
  const there = new URL(url)
  const proxy = await FaultProxy.start({ host: there.hostname, port: Number(there.port) }, observer?.observe)
  t.after(() => proxy.close())
  links.push(proxy)
  there.port = String(proxy.port)
  return there.href
}

/**
 * Begins a fault and waits for `lastsMs`.
 *
 * @returns after how many ms the fault was noticeable: `/readyz` failed, or the log had a new line
 * @throws if it was not
 */
export async function noticed(
  ingester: IngesterProcess,
  begin: () => void,
  lastsMs: number,
): Promise<number> {
  const [before, startMs] = [ingester.log.length, performance.now()]
  const elapsedMs = () => performance.now() - startMs
  begin()
  const isReady = () =>
    fetch(`http://127.0.0.1:${ingester.httpPort}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    )
  const isNoticed = async () => ingester.log.length > before || !(await isReady())
  await until(isNoticed, 'the ingester notices the fault', patience(lastsMs))
  const ms = elapsedMs()
  await until(() => elapsedMs() >= lastsMs, 'the fault has lasted', lastsMs + patience(1_000))
  return ms
}
