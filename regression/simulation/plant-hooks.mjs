const mutant = JSON.parse(process.env.SIMULATION_MUTANT ?? '')

export async function load(url, context, nextLoad) {
  const loaded = await nextLoad(url, context)
  if (!new URL(url).pathname.endsWith(`/packages/qs/src/${mutant.file}`)) return loaded
  const parts = String(loaded.source).split(mutant.original)
  if (parts.length !== 2) {
    throw new Error(
      `The mutant "${mutant.name}" is out of date: its passage occurs ${parts.length - 1} times in ${mutant.file}. Correct it in mutants.ts.`,
    )
  }
  return { ...loaded, source: parts.join(mutant.planted) }
}
