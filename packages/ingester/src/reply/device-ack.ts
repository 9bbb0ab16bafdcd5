import type { Message } from '../pipeline/message.ts'
import type { Outcome } from '../pipeline/outcome.ts'

/**
 * The device ack of a message: an object for an object, an array in the same order for an array. Nearly always one
 * payload; where the broker takes no packet as large as an array of it, several arrays, in order.
 */
export function deviceAckPayloads(
  message: Message,
  outcomes: readonly Outcome[],
  maxBytes: number,
): readonly string[] {
  if (message.shape === 'one') return [oneJson(message, 0, outcomes)]
  const payloads: string[] = []
  let [json, bytes] = ['', 0]
  for (let index = 0; index < message.size; index++) {
    const one = oneJson(message, index, outcomes)
    const oneBytes = Buffer.byteLength(one) + 1
    if (json !== '' && bytes + oneBytes >= maxBytes) {
      payloads.push(`[${json}]`)
      json = ''
      bytes = 0
    }
    json += json === '' ? one : `,${one}`
    bytes += oneBytes
  }
  payloads.push(`[${json}]`)
  return payloads
}

/** Written by hand: there is one for every event. */
function oneJson(message: Message, index: number, outcomes: readonly Outcome[]): string {
  const outcome = outcomes[index] as Outcome
  const json = `{"event_id":${JSON.stringify(message.eventIdAt(index))},"status":"`
  if (outcome.kind === 'rejection') {
    return `${json}rejected","error":${JSON.stringify({ code: outcome.code, message: outcome.message })}}`
  }
  const warning = message.warningAt(index)
  const end = warning === null ? '' : `,"warning":${JSON.stringify(warning)}`
  return `${json}${outcome.kind}","ts_server":"${outcome.tsServer}"${end}}`
}
