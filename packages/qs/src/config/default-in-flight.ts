/** Messages received and not yet committed, if IN_FLIGHT_MESSAGES is unset. Decisions 16 and 28 have the measurements. */
export const DEFAULT_IN_FLIGHT = { ingest: 1_000, up: 10_000 } as const
