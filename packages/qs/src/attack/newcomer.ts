import { fell, held, type Verdict } from './attack.ts'
import type { Board } from './board.ts'

/** Longest time to connect and log in, unless a device may wait longer for its ack. */
const CONNECT_MS = 2_000

/** Whether another board connects in time while the attack goes on. @throws Error if it is refused */
export async function newcomer(victim: Board, maxWaitMs: number): Promise<Verdict> {
  const startMs = performance.now()
  const peer = await victim.connect()
  peer.destroy()
  const ms = performance.now() - startMs
  if (ms <= Math.max(CONNECT_MS, maxWaitMs)) return held(`another board connected in ${ms.toFixed(0)} ms`)
  return fell(`another board needed ${(ms / 1000).toFixed(1)} s to connect`, 'Check the load of the broker')
}
