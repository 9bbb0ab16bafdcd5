const [MOST, BEGIN, END] = [26, 11, 13]

/** A long id with its middle left out: ids of a fleet differ at the end, and their kind stands at the beginning. */
export function shortName(name: string): string {
  const letters = [...name]
  return letters.length <= MOST ? name : `${letters.slice(0, BEGIN).join('')}…${letters.slice(-END).join('')}`
}
