import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import pc from 'picocolors'
import { addIfMissing } from '../accounts/add-if-missing.ts'
import { brokerUrlOf, type DeviceLogin, deviceLogin, withTls } from '../accounts/device-login.ts'
import { SNIPPETS } from '../accounts/device-snippets.ts'
import { accountTopics } from '../accounts/operator-login.ts'
import { readDeviceList } from '../accounts/read-device-list.ts'
import type { Config } from '../config/settings.ts'
import { describeNewDevice } from '../devices/describe-new-device.ts'
import { QsError } from '../errors/qs-error.ts'
import { reasonOf } from '../errors/reason-of.ts'
import { counted } from '../telemetry/counted.ts'
import { visible } from '../telemetry/visible.ts'
import { loginJson, type OutputOptions } from './device-output.ts'
import { withDatabase } from './with-database.ts'
import { withOperator } from './with-operator.ts'

/** `qs device add --csv FILE`: a second run adds what the first one did not reach. */
export async function addFromCsv(config: Config, file: string, options: OutputOptions): Promise<void> {
  const listed = readDeviceList(config, await contentOf(file))
  const topics = accountTopics(config)
  const shown = withTls(config, options.tls)
  const logins: DeviceLogin[] = []
  try {
    await withDatabase((ask) =>
      withOperator(config, async (connection) => {
        for (const each of listed) {
          const password = await addIfMissing(connection, each.deviceId, topics)
          if (password !== null) logins.push(deviceLogin(shown, each.deviceId, password))
          await describeNewDevice(ask, each)
        }
      }),
    )
  } finally {
    // Also if the rest failed: nobody could find out these passwords later.
    if (logins.length > 0 || options.json) print(logins, options)
  }
  const existing = listed.length - logins.length
  if (existing > 0)
    console.error(
      `${counted(existing, 'device')} had an account already and keep${existing === 1 ? 's' : ''} its password; qs device rotate sets a new one.`,
    )
}

/** @param file `-`: standard input */
async function contentOf(file: string): Promise<string> {
  if (file === '-') return text(process.stdin)
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new QsError('WRONG_USAGE', `${visible(file)} cannot be read: ${reasonOf(error)}`)
  }
}

function print(logins: readonly DeviceLogin[], { json, snippet }: OutputOptions): void {
  if (json) return console.log(JSON.stringify(logins.map(loginJson), null, 2))
  const [first] = logins
  if (first === undefined) return
  const width = Math.max(...logins.map(({ deviceId }) => deviceId.length))
  console.log(
    `${counted(logins.length, 'device')} added, at ${brokerUrlOf(first)}. ${pc.dim('The passwords are shown only once.')}\n`,
  )
  for (const { deviceId, password } of logins) console.log(`  ${deviceId.padEnd(width)}  ${password}`)
  if (snippet === undefined || snippet === 'none') return
  for (const login of logins) console.log(`\n${pc.bold(login.deviceId)}\n${SNIPPETS[snippet](login)}`)
}
