import type { Element, Message } from '../pipeline/message.ts'
import type { Outcome } from '../pipeline/outcome.ts'

/**
 * The device ack of a message: an object for an object, an array in the same order for an array. Nearly always one
 * payload; where the broker takes no packet as large as an array of it, several arrays, in order.
 */
export function deviceAckPayloads(
  { elements, shape }: Message,
  outcomes: readonly Outcome[],
  maxBytes: number,
): readonly string[] {
  if (shape === 'one') return [oneJson(elements[0] as Element, outcomes[0] as Outcome)]
  const payloads: string[] = []
  let [json, bytes] = ['', 0]
  for (const [index, element] of elements.entries()) {
    const one = oneJson(element, outcomes[index] as Outcome)
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
function oneJson(element: Element, outcome: Outcome): string {
  const json = `{"event_id":${JSON.stringify(element.eventId)},"status":"`
  if (outcome.kind === 'rejection') {
    return `${json}rejected","error":${JSON.stringify({ code: outcome.code, message: outcome.message })}}`
  }
  const warning =
    element.kind === 'event' && element.warning !== null
      ? `,"warning":${JSON.stringify(element.warning)}`
      : ''
  return `${json}${outcome.kind}","ts_server":"${outcome.tsServer}"${warning}}`
}
