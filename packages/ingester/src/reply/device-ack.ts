import type { Element, Message } from '../pipeline/message.ts'
import type { Outcome } from '../pipeline/outcome.ts'

/** The device ack of a message: an object for an object, an array in the same order for an array. */
export function deviceAckJson({ elements, shape }: Message, outcomes: readonly Outcome[]): string {
  if (shape === 'one') return oneJson(elements[0] as Element, outcomes[0] as Outcome)
  let json = '['
  for (const [index, element] of elements.entries()) {
    json += `${index === 0 ? '' : ','}${oneJson(element, outcomes[index] as Outcome)}`
  }
  return `${json}]`
}

/** Written by hand: there is one for every event. */
function oneJson(element: Element, outcome: Outcome): string {
  const json = `{"event_id":${JSON.stringify(element.eventId)},"status":"`
  if (outcome.kind === 'rejection') {
    const error = JSON.stringify({ code: outcome.code, message: outcome.message.toWellFormed() })
    return `${json}rejected","error":${error}}`
  }
  const warning =
    element.kind === 'event' && element.warning !== null
      ? `,"warning":${JSON.stringify(element.warning)}`
      : ''
  return `${json}${outcome.kind}","ts_server":"${outcome.tsServer}"${warning}}`
}
