import { DeviceError } from '@qs-telemetry/device'
import pc from 'picocolors'
import type { Config } from '../config/settings.ts'
import type { DatabaseClient } from '../database/open-client.ts'
import { answeringNode } from '../doctor/answering-node.ts'
import { pubackIsCommit } from '../doctor/puback-is-commit.ts'
import { brokerError } from '../endpoints/broker-error.ts'
import { brokerAccess, brokerOptions } from '../endpoints/broker-options.ts'
import { findMqttUrl } from '../endpoints/endpoints.ts'
import { QsError } from '../errors/qs-error.ts'
import { reasonOf } from '../errors/reason-of.ts'
import { type Proof, prove, removeRun } from '../verify/prove.ts'
import { progress } from './progress.ts'
import { removeRows } from './remove-rows.ts'

export interface VerifyFaultsOptions {
  /** Seconds. */
  readonly timeout: number
  readonly keep?: true
}

/** Runs the proof and removes its rows afterwards, unless it fails. */
export async function verifyFaults(
  config: Config,
  database: DatabaseClient,
  { timeout, keep }: VerifyFaultsOptions,
): Promise<Proof> {
  const bar = progress('faults')
  try {
    // The fault proxy leads to one node.
    const { url, connack } = await answeringNode(brokerAccess(config))
    const proof = await prove({
      broker: pubackIsCommit(connack) ? null : { ...brokerOptions(config), url },
      database,
      timeoutMs: timeout * 1000,
      onFault: bar.update,
    }).catch((error: unknown) => {
      if (error instanceof DeviceError) throw brokerError(findMqttUrl(config), error)
      throw new QsError('VERIFY_NOT_RUN', reasonOf(error), { cause: error })
    })
    if (proof.ok && !keep) await removeRows(proof.run, () => removeRun(database, proof.run))
    return proof
  } finally {
    bar.stop()
  }
}

/** Prints the table of faults and the errors that only a proof under faults can find. */
export function printFaults({ faults, early, doubled, puback }: Proof): void {
  if (puback !== null)
    console.log('The broker says that its PUBACK means committed: tested with a broker of the same kind.\n')
  const width = Math.max(...faults.map(({ fault }) => fault.length))
  console.log(pc.bold(`${'fault'.padEnd(width)}   sent  acked  flows after`))
  for (const { fault, sent, acked, flowsAfterSeconds: seconds } of faults) {
    const after = seconds === null ? pc.red('never') : `${seconds.toFixed(1)} s`
    console.log(`${fault.padEnd(width)} ${String(sent).padStart(6)} ${String(acked).padStart(6)}  ${after}`)
  }
  if (early.length > 0)
    console.log(pc.red(`${early.length} acked before they were committed: ${early[0]}, …`))
  if (doubled > 0) console.log(pc.red(`${doubled} more rows than events`))
}
