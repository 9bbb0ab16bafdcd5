import type { Command } from 'commander'
import pc from 'picocolors'
import { deviceLogin, withTls } from '../accounts/device-login.ts'
import { deviceNameProblem } from '../accounts/device-name.ts'
import { addDevice, listDeviceAccounts } from '../accounts/devices.ts'
import { listensOnNetwork } from '../accounts/listens-on-network.ts'
import { accountTopics } from '../accounts/operator-login.ts'
import { OVERLAP_ADVICE, overlappingIds } from '../accounts/overlapping-ids.ts'
import { timeZone } from '../config/kinds.ts'
import { loadConfig } from '../config/load.ts'
import type { Config } from '../config/settings.ts'
import { DeviceRows } from '../devices/device-rows.ts'
import { findDatabaseUrl } from '../endpoints/endpoints.ts'
import { QsError } from '../errors/qs-error.ts'
import { addFromCsv } from './device-add-csv.ts'
import { type OutputOptions, printLogin, snippetOption, TLS_ABOUT } from './device-output.ts'
import { choosePassword } from './device-password.ts'
import { parseWith } from './parse-option.ts'
import { withOperator } from './with-operator.ts'

interface Options extends OutputOptions {
  readonly csv?: string
  readonly label?: string
  readonly timeZone?: string
  readonly room?: string
  readonly note?: string
  readonly passwordStdin?: true
}

export function registerDeviceAdd(device: Command): void {
  device
    .command('add')
    .description('create an account for a device and print the login for its board')
    .argument('[device_id]', 'also its user name and client id')
    .option('--csv <file>', 'add all devices of a list instead; - reads standard input')
    .option('--label <text>', 'display name, stored in the table devices')
    .option(
      '--time-zone <zone>',
      'zone of its times without offset, if not DEVICE_TIMEZONE',
      parseWith(timeZone),
    )
    .option('--room <name>', 'its location; the console groups devices by room')
    .option('--note <text>', 'anything worth knowing about it')
    .option(
      '--password-stdin',
      'read the password from the first line of standard input instead of generating one',
    )
    .addOption(snippetOption)
    .option('--tls', TLS_ABOUT)
    .option('--no-tls', 'without TLS')
    .option(
      '--json',
      'print {"device_id":…,"url":…,"username":…,"password":…,"client_id":…,…}; with --csv an array',
    )
    .addHelpText(
      'after',
      `
Connects as the operator (MQTT_USERNAME, MQTT_PASSWORD, or what qs up --lan made). MQTT_PUBLIC_URL is the broker's address for boards.

A line of a CSV list has device_id, label, room, time_zone, notes; a first line with such names may choose others. Devices that
have an account keep it, so the same list can be run again. The console prints QR codes of a whole list: its page Connect.

Examples
  qs device add kitchen
  qs device add kitchen --label 'Kitchen, window' --room Kitchen --time-zone Europe/Berlin --snippet arduino
  qs device add kitchen --snippet qr
  qs device add --csv boards.csv`,
    )
    .action(async (deviceId: string | undefined, { csv, ...options }: Options) => {
      const config = loadConfig()
      if (csv !== undefined && deviceId === undefined) return addFromCsv(config, csv, options)
      if (csv !== undefined || deviceId === undefined)
        throw new QsError('WRONG_USAGE', 'Name either a device or a list of devices (--csv)')
      checkNewDeviceId(config, deviceId)
      const password = await choosePassword(options.passwordStdin ?? false)
      // Before the account exists: the password is shown only once.
      const login = deviceLogin(withTls(config, options.tls), deviceId, password)
      await add(config, {
        deviceId,
        password,
        label: options.label ?? null,
        timeZone: options.timeZone ?? null,
        room: options.room ?? null,
        notes: options.note ?? null,
      })
      printLogin(`${deviceId} has an account.`, login, options)
      if (!(await listensOnNetwork(config, login)))
        console.error(
          pc.yellow(
            '\nBoards cannot reach this broker: it listens only on this machine. Restart it with npm start -- --lan (qs up --lan).',
          ),
        )
      if (config.EVENT_ID_RULE === 'device') await warnOfOverlap(config, deviceId)
    })
}

async function warnOfOverlap(config: Config, deviceId: string): Promise<void> {
  for (const { shorter, longer } of overlappingIds(await withOperator(config, listDeviceAccounts)))
    if (deviceId === shorter || deviceId === longer)
      console.error(pc.yellow(`${shorter} and ${longer} share event ids. ${OVERLAP_ADVICE}.`))
}

interface NewDevice {
  readonly deviceId: string
  readonly password: string
  readonly label: string | null
  readonly timeZone: string | null
  readonly room: string | null
  readonly notes: string | null
}

/** Connects to the database first, so that no account is created without its description. */
async function add(config: Config, { deviceId, password, ...description }: NewDevice): Promise<void> {
  const topics = accountTopics(config)
  const addAccount = () =>
    withOperator(config, (connection) => addDevice(connection, { deviceId, password, topics }))
  if (Object.values(description).every((each) => each === null)) return addAccount()
  const rows = await DeviceRows.open(findDatabaseUrl(config))
  try {
    await addAccount()
    await rows.describe({ deviceId, ...description })
  } finally {
    await rows.close()
  }
}

/** @throws QsError if no account can have this name */
function checkNewDeviceId(config: Config, deviceId: string): void {
  const problem = deviceNameProblem(config, deviceId)
  if (problem !== null) throw new QsError('INVALID_DEVICE_ID', problem)
}
