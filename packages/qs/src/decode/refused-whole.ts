import type { Element } from '../pipeline/message.ts'

/**
 * An array in which nothing is an event and nothing has an id is refused as a whole: one dead letter and one device ack
 * say of it all that a thousand could. Otherwise 2 KB of zeros cost 180 KB of device acks, and 0.6 MB/s of them held up
 * the device acks of all other devices for 8 s.
 */
export function refusedWhole(elements: readonly Element[]): Element | readonly Element[] {
  const [first] = elements
  if (first?.kind !== 'rejection' || elements.length === 1) return elements
  if (elements.some(({ kind, eventId }) => kind === 'event' || eventId !== null)) return elements
  const message = `All ${elements.length} elements of the array are refused, the first one with: ${first.message}`
  return { ...first, message, elements: elements.length }
}
