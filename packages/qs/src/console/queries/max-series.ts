/** Series of one device that a list looks at; as many as a device may have by default. */
export const MAX_SERIES = 1_000
