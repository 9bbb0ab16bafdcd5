const [MOST, BEGIN, END] = [26, 11, 13]

/** A long id without its middle: ids of a fleet begin with their kind and differ at the end. */
export function shortName(name: string): string {
  const letters = [...name]
  return letters.length <= MOST ? name : `${letters.slice(0, BEGIN).join('')}…${letters.slice(-END).join('')}`
}
