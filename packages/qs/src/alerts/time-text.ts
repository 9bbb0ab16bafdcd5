const STEPS = [
  { unit: 'day', seconds: 86_400, from: 172_800 },
  { unit: 'hour', seconds: 3_600, from: 7_200 },
  { unit: 'minute', seconds: 60, from: 120 },
] as const

/** `40 seconds`, `12 minutes`, `3 hours`, `2 days`. */
export function timeText(seconds: number): string {
  const { unit, seconds: each } = STEPS.find(({ from }) => seconds >= from) ?? { unit: 'second', seconds: 1 }
  const count = Math.round(seconds / each)
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}
