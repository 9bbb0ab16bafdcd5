import { Command } from 'commander'
import { VERSION } from '../config/version.ts'
import { visibleLines } from '../telemetry/visible.ts'

type Load = () => Promise<(program: Command) => void>

/** Loaded on demand: all of them together take a second. */
const COMMANDS = new Map<string, Load>([
  ['up', async () => (await import('./up.ts')).registerUp],
  ['ingest', async () => (await import('./ingest.ts')).registerIngest],
  ['console', async () => (await import('./console.ts')).registerConsole],
  ['migrate', async () => (await import('./migrate.ts')).registerMigrate],
  ['provision', async () => (await import('./provision.ts')).registerProvision],
  ['publish', async () => (await import('./publish.ts')).registerPublish],
  ['tail', async () => (await import('./tail.ts')).registerTail],
  ['simulate', async () => (await import('./simulate.ts')).registerSimulate],
  ['verify', async () => (await import('./verify.ts')).registerVerify],
  ['attack', async () => (await import('./attack.ts')).registerAttack],
  ['device', async () => (await import('./device.ts')).registerDevice],
  ['certificate', async () => (await import('./certificate.ts')).registerCertificate],
  ['service', async () => (await import('./service.ts')).registerService],
  ['backup', async () => (await import('./backup.ts')).registerBackup],
  ['restore', async () => (await import('./restore.ts')).registerRestore],
  ['alert', async () => (await import('./alert.ts')).registerAlert],
  ['keep', async () => (await import('./keep.ts')).registerKeep],
  ['storage', async () => (await import('./storage.ts')).registerStorage],
  ['export', async () => (await import('./export.ts')).registerExport],
  ['import', async () => (await import('./import.ts')).registerImport],
  ['deadletter', async () => (await import('./deadletter.ts')).registerDeadLetter],
  ['doctor', async () => (await import('./doctor.ts')).registerDoctor],
  ['config', async () => (await import('./config.ts')).registerConfig],
])

/** The command `qs` with the subcommand `wanted`, or with all subcommands if none has this name. One file each. */
export async function createProgram(wanted = ''): Promise<Command> {
  const program = new Command('qs')
    .exitOverride()
    // Commander's errors quote the arguments.
    .configureOutput({ writeErr: (text) => process.stderr.write(visibleLines(text)) })
    .description('Telemetry from devices to PostgreSQL: an acknowledged event is a committed event')
    .version(VERSION)
    .showHelpAfterError('(qs --help lists the commands)')
    .addHelpText(
      'after',
      `
Start with
  qs up                                       everything embedded, on this machine
  qs publish --device d1 --type temp --value 21.5
  qs tail                                     watch events and their device acks

Settings are environment variables or lines in .env; qs config lists them.
Exit codes: 0 done, 1 failed, 2 wrong usage or settings.`,
    )

  const only = COMMANDS.get(wanted)
  for (const load of only === undefined ? COMMANDS.values() : [only]) {
    const register = await load()
    register(program)
  }
  return program
}
