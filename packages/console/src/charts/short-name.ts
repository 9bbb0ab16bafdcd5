const [MOST, END] = [40, 18]

/** A long id with its middle left out: ids of a fleet differ at the end, and their kind stands at the beginning. */
export function shortName(name: string): string {
  const letters = [...name]
  return letters.length <= MOST ? name : `${letters.slice(0, END).join('')}…${letters.slice(-END).join('')}`
}
