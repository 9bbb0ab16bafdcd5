const PHRASE = 'The stored event arrived at '
const ARRIVAL = new RegExp(`^${PHRASE}(\\d{4}-[0-9T:.-]+Z)`)

/** The detail of a conflict: when the stored event arrived. */
export function arrivedAt(tsServer: string): string {
  return `${PHRASE}${tsServer}`
}

/** The time that `arrivedAt` wrote into the message of a conflict, or null. */
export function arrivalIn(message: string): string | null {
  return ARRIVAL.exec(message)?.[1] ?? null
}
