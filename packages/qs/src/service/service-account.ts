import { spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { type Account, findAccount, runAs, serverEnvironment } from '../embedded/postgres/postgres-account.ts'
import { QsError } from '../errors/qs-error.ts'
import type { Program } from './program.ts'

/** The account of this name; as root, a missing one is created: of the system, without a login. @throws QsError */
export function serviceAccount(name: string, home: string): Account {
  const account = findAccount(name) ?? createAccount(name, home)
  if (account.uid === 0)
    throw new QsError('SERVICE_ACCOUNT', 'The service does not run as root, and neither does PostgreSQL')
  return account
}

function createAccount(name: string, home: string): Account {
  const options = ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin']
  const { error, stderr } = spawnSync('useradd', [...options, '--home-dir', home, name], { encoding: 'utf8' })
  const account = findAccount(name)
  if (account !== null) return account
  const reason = error?.message ?? stderr.trim()
  throw new QsError('SERVICE_ACCOUNT', `The account ${name} does not exist, and useradd failed: ${reason}`)
}

/** Whether the account can run the program: a clone or a Node below a home is often closed to others. @throws QsError */
export function checkProgram(program: Program, account: Account): void {
  const [node, ...args] = program
  const { status, error, stderr } = spawnSync(node, [...args, '--version'], {
    ...runAs(account),
    cwd: '/',
    env: serverEnvironment,
    encoding: 'utf8',
  })
  if (status === 0) return
  throw new QsError(
    'SERVICE_ACCOUNT',
    `The account ${account.name} cannot run ${[node, args.at(-1)].join(' ')}: ${error?.message ?? firstLine(stderr)}\n` +
      '  Move the program to where every account can read it, such as /opt/qs-telemetry, and use a Node in /usr.\n' +
      '  Or run the service as the owner of the program: --user <name> --folder <a folder of that user>\n',
  )
}

function firstLine(text: string): string {
  return text.trim().split('\n').at(0) || 'no reason given'
}

/** Folder and data must belong to the account. @throws QsError that names the command to change that */
export function checkOwner(folder: string, dataDir: string, account: Account): void {
  for (const path of [folder, dataDir, join(dataDir, 'postgres')]) {
    const uid = statSync(path, { throwIfNoEntry: false })?.uid
    if (uid === undefined || uid === account.uid) continue
    throw new QsError(
      'DATA_DIRECTORY_OWNER',
      `${path} belongs to the account with uid ${uid}, and the service runs as ${account.name}. ` +
        `Stop what uses it, then give it to that account: sudo chown -RH ${account.name}: '${path}'.`,
    )
  }
}
