/** How much is generated: little in `npm test`, a million with `npm run fuzz`. */
export const FUZZ_SEED = Number(process.env.FUZZ_SEED ?? 1)
export const FUZZ_PAYLOADS = Number(process.env.FUZZ_PAYLOADS ?? 3_000)
export const FUZZ_MESSAGES = Number(process.env.FUZZ_MESSAGES ?? 200)
/** Generous: it should catch a hang, not a slow machine. */
export const FUZZ_TIMEOUT_MS = 3_600_000
