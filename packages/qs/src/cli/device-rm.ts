import type { Command } from 'commander'
import { removeDevice } from '../accounts/devices.ts'
import { loadConfig } from '../config/load.ts'
import { withOperator } from './with-operator.ts'

export function registerDeviceRm(device: Command): void {
  device
    .command('rm')
    .description('remove the account of a device and disconnect it at once; its events stay')
    .argument('<device_id>')
    .option('--json', 'print {"removed":…}')
    .addHelpText('after', '\nExample\n  qs device rm kitchen')
    .action(async (deviceId: string, { json }: { json?: true }) => {
      await withOperator(loadConfig(), (connection) => removeDevice(connection, deviceId))
      if (json) console.log(JSON.stringify({ removed: deviceId }))
      else
        console.log(
          `The account of ${deviceId} is removed and the device disconnected. Its events and its row in devices stay.`,
        )
    })
}
