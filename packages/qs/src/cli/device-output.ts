import { Option } from 'commander'
import pc from 'picocolors'
import { brokerUrlOf, type DeviceLogin } from '../accounts/device-login.ts'
import { SNIPPETS, type SnippetName } from '../accounts/device-snippets.ts'

export interface OutputOptions {
  readonly snippet?: SnippetName | 'none'
  readonly json?: true
  readonly tls?: boolean
}

export const snippetOption = new Option(
  '--snippet <kind>',
  'print lines to paste for this kind of device',
).choices([...Object.keys(SNIPPETS), 'none'])

export const TLS_ABOUT =
  'with TLS and the authority that the board pins; the default if the certificate was asked for (qs certificate, --tls-only)'

/** Prints the login; the password is never shown again. */
export function printLogin(done: string, login: DeviceLogin, { snippet, json }: OutputOptions): void {
  const { deviceId, password, eventsTopic, acksTopic } = login
  if (json) return console.log(JSON.stringify(loginJson(login)))
  const rows = Object.entries({
    broker: brokerUrlOf(login),
    user: deviceId,
    password,
    'client id': deviceId,
    events: eventsTopic,
    'device acks': acksTopic,
  })
  console.log(`${done} ${pc.dim('The password is shown only once.')}\n`)
  for (const [name, value] of rows) console.log(`  ${pc.cyan(name.padEnd(12))} ${value}`)
  if (snippet === 'none') return
  console.log(`\n${SNIPPETS[snippet ?? 'mosquitto'](login)}`)
  if (snippet === undefined) {
    const kinds = Object.keys(SNIPPETS).join(', ')
    console.log(pc.dim(`\nFor a board: --snippet ${kinds}; qs device rotate accepts it too.`))
    if (!login.tls) console.log(pc.dim('With TLS, where qs up has a certificate: --tls.'))
  }
}

/** A login as scripts read it. */
export function loginJson(login: DeviceLogin) {
  const { deviceId, password, eventsTopic, acksTopic } = login
  return {
    device_id: deviceId,
    url: brokerUrlOf(login),
    username: deviceId,
    password,
    client_id: deviceId,
    events_topic: eventsTopic,
    acks_topic: acksTopic,
  }
}
