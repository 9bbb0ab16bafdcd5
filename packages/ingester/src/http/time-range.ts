import { HttpProblem } from './problem.ts'

const MAX_YEARS_MS = 200 * 365 * 86_400_000

/** @throws HttpProblem where it is none */
export function readRange({ from, to }: { readonly from: string; readonly to: string }): {
  readonly from: Date
  readonly to: Date
} {
  const range = { from: new Date(from), to: new Date(to) }
  const lengthMs = range.to.getTime() - range.from.getTime()
  if (!(lengthMs > 0 && lengthMs <= MAX_YEARS_MS))
    throw new HttpProblem(400, `from ${from} to ${to} is no stretch of time: "to" comes after "from"`)
  return range
}
