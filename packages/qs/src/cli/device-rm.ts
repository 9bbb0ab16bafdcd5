import type { Command } from 'commander'
import { removeDevice as removeAccount } from '../accounts/devices.ts'
import { loadConfig } from '../config/load.ts'
import type { Config } from '../config/settings.ts'
import { removeDevice } from '../devices/remove-devices.ts'
import { hasCode } from '../errors/qs-error.ts'
import { counted } from '../telemetry/counted.ts'
import { visible } from '../telemetry/visible.ts'
import { confirmByTyping } from './confirm.ts'
import { withDatabase } from './with-database.ts'
import { withOperator } from './with-operator.ts'

interface Options {
  readonly data?: true
  readonly yes?: true
  readonly json?: true
}

export function registerDeviceRm(device: Command): void {
  device
    .command('rm')
    .description('remove the account of a device and disconnect it at once; its events stay, unless --data')
    .argument('<device_id>')
    .option(
      '--data',
      'also delete everything about it for good: events, numbers by the hour, dead letters, alerts',
    )
    .option('--yes', 'with --data: do not ask')
    .option('--json', 'print {"removed":…}, with --data also {"account":…,"events":…}')
    .addHelpText(
      'after',
      `
--data asks for the id, unless --yes. It needs a role that may delete events, such as the owner; a backup still has them.
qs device archive hides a device and keeps its data.

Examples
  qs device rm kitchen
  qs device rm kitchen --data`,
    )
    .action(async (deviceId: string, { data, yes, json }: Options) => {
      const config = loadConfig()
      if (data) {
        if (!yes) await confirmByTyping(`Delete ${visible(deviceId)} with all its events for good?`, deviceId)
        return removeAll(config, deviceId, json)
      }
      await withOperator(config, (connection) => removeAccount(connection, deviceId))
      if (json) console.log(JSON.stringify({ removed: deviceId }))
      else
        console.log(
          `The account of ${deviceId} is removed and the device disconnected. Its events and its row in devices stay.`,
        )
    })
}

/** The account first: a device that still sends would come back. */
async function removeAll(config: Config, deviceId: string, json: true | undefined): Promise<void> {
  const hadAccount = config.MQTT_USERNAME !== null && (await removeAccountIfAny(config, deviceId))
  const events = await withDatabase(async (ask) => {
    const removal = await removeDevice(ask, deviceId)
    await removal.finish?.((ms) =>
      console.error(`It sent just now. Waiting ${ms / 1_000} s for what the ingester still writes of it.`),
    )
    return removal.events
  })
  if (json) return console.log(JSON.stringify({ removed: deviceId, account: hadAccount, events }))
  const account = hadAccount ? 'its account, ' : ''
  console.log(
    `${visible(deviceId)} is deleted: ${account}${counted(events, 'event')} and everything else about it.`,
  )
}

async function removeAccountIfAny(config: Config, deviceId: string): Promise<boolean> {
  try {
    await withOperator(config, (connection) => removeAccount(connection, deviceId))
    return true
  } catch (error) {
    if (hasCode(error, 'NO_SUCH_ACCOUNT')) return false
    throw error
  }
}
