import { Command } from 'commander'
import { registerConfig } from './config.ts'
import { registerIngest } from './ingest.ts'
import { registerMigrate } from './migrate.ts'
import { registerPublish } from './publish.ts'
import { registerSimulate } from './simulate.ts'
import { registerTail } from './tail.ts'
import { registerUp } from './up.ts'
import { registerVerify } from './verify.ts'

const COMMANDS = [
  registerUp,
  registerIngest,
  registerMigrate,
  registerPublish,
  registerTail,
  registerSimulate,
  registerVerify,
  registerConfig,
]

/** The command `qs`, one file for each of its commands. */
export function createProgram(): Command {
  const program = new Command('qs')
    .exitOverride()
    .description('Telemetry from devices to PostgreSQL: an acknowledged event is a committed event')
    .version('0.1.0')
    .showHelpAfterError('(qs --help lists the commands)')
    .addHelpText(
      'after',
      `
Start with
  qs up                                       everything embedded, on this machine
  qs publish --device d1 --type temp --value 21.5
  qs tail                                     what comes in, and what becomes of it

Settings are environment variables or lines in .env; qs config lists them.
Exit codes: 0 done, 1 failed, 2 wrong usage or settings.`,
    )

  for (const register of COMMANDS) register(program)
  return program
}
