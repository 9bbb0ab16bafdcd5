/** How stale devices.last_seen may be. Updating it with every event would double the rows written. */
export const DEVICE_INTERVAL_MS = 10_000
