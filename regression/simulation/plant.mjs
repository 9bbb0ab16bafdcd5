// Plants the mutant that SIMULATION_MUTANT names, as JSON, into the source file when it is loaded. Registered before tsx,
// so it sees TypeScript as it stands in the file.
import { register } from 'node:module'

register('./plant-hooks.mjs', import.meta.url)
