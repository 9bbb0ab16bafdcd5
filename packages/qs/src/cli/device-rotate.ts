import type { Command } from 'commander'
import { deviceLogin, withTls } from '../accounts/device-login.ts'
import { rotateDevice } from '../accounts/devices.ts'
import { loadConfig } from '../config/load.ts'
import { type OutputOptions, printLogin, snippetOption, TLS_ABOUT } from './device-output.ts'
import { choosePassword } from './device-password.ts'
import { withOperator } from './with-operator.ts'

interface Options extends OutputOptions {
  readonly passwordStdin?: true
}

export function registerDeviceRotate(device: Command): void {
  device
    .command('rotate')
    .description('give a device a new password; connections with the old one end at once')
    .argument('<device_id>')
    .option(
      '--password-stdin',
      'read the password from the first line of standard input instead of generating one',
    )
    .addOption(snippetOption)
    .option('--tls', TLS_ABOUT)
    .option('--no-tls', 'without TLS')
    .option('--json', 'print the same as qs device add --json')
    .addHelpText(
      'after',
      `
Its session stays, with the messages queued for it at the broker.

Example
  qs device rotate kitchen --snippet micropython`,
    )
    .action(async (deviceId: string, options: Options) => {
      const config = loadConfig()
      const password = await choosePassword(options.passwordStdin ?? false)
      const login = deviceLogin(withTls(config, options.tls), deviceId, password)
      await withOperator(config, (connection) => rotateDevice(connection, deviceId, password))
      printLogin(`${deviceId} has a new password.`, login, options)
    })
}
