import type { Command } from 'commander'
import { type DeviceChanges, describeDevice } from '../devices/describe-device.ts'
import { QsError } from '../errors/qs-error.ts'
import { counted } from '../telemetry/counted.ts'
import { visible } from '../telemetry/visible.ts'
import { withDatabase } from './with-database.ts'

interface Options {
  readonly json?: true
}

/** The commands that set one text of a device. */
const TEXTS = {
  rename: { argument: 'label', about: 'give a device a label, shown beside its id', max: 200 },
  room: { argument: 'name', about: 'say in which room a device is', max: 100 },
  note: { argument: 'text', about: 'keep a note about a device', max: 4_000 },
} as const

const EXAMPLES = {
  rename: `qs device rename kitchen 'Kitchen, window'`,
  room: `qs device room kitchen Kitchen`,
  note: `qs device note kitchen 'new battery in November'`,
} as const

export function registerDeviceDescribe(device: Command): void {
  for (const name of ['rename', 'room', 'note'] as const) {
    const { argument, about, max } = TEXTS[name]
    device
      .command(name)
      .description(about)
      .argument('<device_id>')
      .argument(`<${argument}>`, `up to ${max} characters; '' removes it`)
      .option('--json', 'print {"changed":[…]}')
      .addHelpText('after', `\nExample\n  ${EXAMPLES[name]}`)
      .action(async (deviceId: string, text: string, { json }: Options) => {
        if (text.length > max)
          throw new QsError('WRONG_USAGE', `A ${argument} has at most ${max} characters, not ${text.length}`)
        const value = text.trim() || null
        await change([deviceId], changeOf(name, value))
        const what = value === null ? `has no ${argument} any more` : `has the ${argument} ${visible(value)}`
        say(json, [deviceId], `${visible(deviceId)} ${name === 'room' ? roomText(value) : what}.`)
      })
  }
  device
    .command('archive')
    .description(
      'hide devices that are out of use: no list shows them, no alert speaks of them; their data stays',
    )
    .argument('<device_id...>')
    .option('--json', 'print {"changed":[…]}')
    .addHelpText(
      'after',
      `
An archived device that sends an event is back by itself. qs device ls --all lists the archive, too.

Example
  qs device archive old-shed`,
    )
    .action(async (deviceIds: readonly string[], { json }: Options) => {
      await change(deviceIds, { isArchived: true })
      say(json, deviceIds, `${counted(deviceIds.length, 'device')} archived. An event brings a device back.`)
    })
  device
    .command('unarchive')
    .description('take devices out of the archive')
    .argument('<device_id...>')
    .option('--json', 'print {"changed":[…]}')
    .addHelpText('after', '\nExample\n  qs device unarchive old-shed')
    .action(async (deviceIds: readonly string[], { json }: Options) => {
      await change(deviceIds, { isArchived: false })
      say(json, deviceIds, `${counted(deviceIds.length, 'device')} back in use.`)
    })
}

function changeOf(name: keyof typeof TEXTS, value: string | null): DeviceChanges {
  if (name === 'rename') return { label: value }
  return name === 'room' ? { room: value } : { notes: value }
}

const roomText = (room: string | null) =>
  room === null ? 'is in no room any more' : `is in ${visible(room)}`

/** @throws QsError NO_SUCH_DEVICE, after the change of those before it */
async function change(deviceIds: readonly string[], changes: DeviceChanges): Promise<void> {
  await withDatabase(async (ask) => {
    for (const deviceId of deviceIds)
      if (!(await describeDevice(ask, deviceId, changes)))
        throw new QsError('NO_SUCH_DEVICE', `There is no device ${deviceId}`)
  })
}

function say(json: true | undefined, changed: readonly string[], text: string): void {
  console.log(json ? JSON.stringify({ changed }) : text)
}
