/**
 * Names that differ from a name of `known` by one character, two exchanged ones, or in case, and say nothing as they
 * are. A name is left alone if the one it resembles is set too: then it is meant for another program.
 *
 * @param known names that are read
 * @returns pairs of a name in `variables` and the one that was probably meant
 */
export function misspeltNames(
  variables: Readonly<Record<string, string | undefined>>,
  known: readonly string[],
): readonly { readonly name: string; readonly likely: string }[] {
  const names = new Set(known)
  return Object.keys(variables)
    .filter((name) => variables[name] && !names.has(name))
    .flatMap((name) => {
      const likely = known.find((each) => isNear(name.toUpperCase(), each))
      return likely === undefined || variables[likely] ? [] : [{ name, likely }]
    })
}

/** Whether they are equal but for one character added, left out or replaced, or for two neighbours exchanged. */
function isNear(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 1) return false
  let start = 0
  while (start < a.length && a[start] === b[start]) start++
  let [endA, endB] = [a.length, b.length]
  while (endA > start && endB > start && a[endA - 1] === b[endB - 1]) [endA, endB] = [endA - 1, endB - 1]
  const [restA, restB] = [a.slice(start, endA), b.slice(start, endB)]
  if (restA.length <= 1 && restB.length <= 1) return true
  return restA.length === 2 && restB.length === 2 && restA[0] === restB[1] && restA[1] === restB[0]
}
