// Plants the mutant given as JSON in SIMULATION_MUTANT into its source file on load. Registered before tsx, so it sees
// the original TypeScript.
import { register } from 'node:module'

register('./plant-hooks.mjs', import.meta.url)
