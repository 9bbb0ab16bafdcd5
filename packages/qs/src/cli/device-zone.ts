import type { Command } from 'commander'
import { timeZone } from '../config/kinds.ts'
import { loadConfig } from '../config/load.ts'
import { describeDevice } from '../devices/describe-device.ts'
import { mendTimes } from '../devices/mend-times.ts'
import { QsError } from '../errors/qs-error.ts'
import { counted } from '../telemetry/counted.ts'
import { visible } from '../telemetry/visible.ts'
import { parseWith } from './parse-option.ts'
import { progress } from './progress.ts'
import { withDatabase } from './with-database.ts'

interface Options {
  readonly history?: true
  readonly json?: true
}

export function registerDeviceZone(device: Command): void {
  device
    .command('zone')
    .description('say in which time zone a device is, if it sends local time without an offset')
    .argument('<device_id>')
    .argument('<zone>', 'IANA name, such as Europe/Berlin', parseWith(timeZone))
    .option('--history', 'also mend the times of its stored events, sealed ones and charts of years included')
    .option('--json', 'print {"zone":…,"mended":…}')
    .addHelpText(
      'after',
      `
The zone holds for events from now on. --history reads the local times that were stored in this zone, too: the page of a
device in the console says when its times are whole hours off. Times with an offset and Z stay. It needs the role of the
owner, and leaves files of qs export as they are.

Example
  qs device zone kitchen Europe/Berlin --history`,
    )
    .action(async (deviceId: string, zone: string, { history, json }: Options) => {
      const config = loadConfig()
      const mended = await withDatabase(async (ask) => {
        if (!(await describeDevice(ask, deviceId, { timeZone: zone })))
          throw new QsError('NO_SUCH_DEVICE', `There is no device ${deviceId}`)
        if (!history) return null
        const bar = progress('mending')
        try {
          return await mendTimes(ask, {
            ...{ deviceId, zone, config },
            onSeries: (done, total) => bar.update(done, total),
          })
        } finally {
          bar.stop()
        }
      })
      if (json) return console.log(JSON.stringify({ zone, mended: mended?.events ?? null }))
      const id = visible(deviceId)
      console.log(`Local times of ${id} are read in ${zone} from now on, within fifteen seconds.`)
      if (mended === null) console.log(`Stored events keep their times; --history mends them.`)
      else
        console.log(
          `${counted(mended.events, 'stored event')} mended.${mended.unpacked > 0 ? ` ${counted(mended.unpacked, 'event')} unpacked for it and sealed again later.` : ''}`,
        )
    })
}
