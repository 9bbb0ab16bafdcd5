/** `shorter` may also send event ids of `longer`. */
export interface OverlappingIds {
  readonly shorter: string
  readonly longer: string
}

/**
 * Pairs of devices that EVENT_ID_RULE=device does not separate: a device id may contain a hyphen, so `esp32` may send
 * `esp32-kitchen-0001`, which is an event id of `esp32-kitchen`.
 */
export function overlappingIds(deviceIds: Iterable<string>): readonly OverlappingIds[] {
  const all = new Set(deviceIds)
  return [...all].flatMap((longer) =>
    [...longer.matchAll(/-/g)]
      .map(({ index }) => longer.slice(0, index))
      .filter((shorter) => all.has(shorter))
      .map((shorter) => ({ shorter, longer })),
  )
}

export const OVERLAP_ADVICE =
  'With EVENT_ID_RULE=device, the first may use event ids of the second. Choose device ids so that none begins with another one and a hyphen'
