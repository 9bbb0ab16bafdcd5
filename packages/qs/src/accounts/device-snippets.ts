import { renderUnicodeCompact } from 'uqr'
import type { DeviceLogin } from './device-login.ts'

/** JSON strings are valid in C and Python. */
const quote = (text: string) => JSON.stringify(text)
const shellQuote = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`

/** Without a password, no user name either. */
const userOf = ({ deviceId, password }: DeviceLogin) => (password === '' ? '' : deviceId)

/** Lines to paste for each kind of device. The constants have the same names as in `examples/`. */
export const SNIPPETS = { arduino, 'esp-idf': arduino, micropython, mosquitto, qr } as const

export type SnippetName = keyof typeof SNIPPETS

/** The device kit takes the same lines in the Arduino IDE and in ESP-IDF. Valid C, too. */
function arduino(login: DeviceLogin): string {
  const { deviceId, password, host, port, tls, authority } = login
  return [
    `const char BROKER[] = ${quote(host)};`,
    `const int BROKER_PORT = ${port};`,
    `const char DEVICE_ID[] = ${quote(deviceId)};`,
    `const char MQTT_USER[] = ${quote(userOf(login))};`,
    `const char MQTT_PASSWORD[] = ${quote(password)};`,
    ...(authority === null ? [] : [`const char CA[] =\n${cText(authority.pem)};`]),
    ...(tls && authority === null
      ? ['// TLS: set CA to your certificate authority, as PEM: docs/device-kit.md, TLS.']
      : []),
  ].join('\n')
}

function micropython(login: DeviceLogin): string {
  const { deviceId, password, host, port, tls, authority } = login
  return [
    `BROKER = ${quote(host)}`,
    `BROKER_PORT = ${port}`,
    `DEVICE_ID = ${quote(deviceId)}`,
    `MQTT_USER = ${quote(userOf(login))}`,
    `MQTT_PASSWORD = ${quote(password)}`,
    ...(tls && authority === null ? ['# TLS: set CA to your certificate authority, bytes of PEM.'] : []),
    ...(authority === null ? [] : [`CA = b"""${authority.pem.join('\n')}"""`]),
  ].join('\n')
}

function mosquitto({ deviceId, password, host, port, tls, authority, eventsTopic }: DeviceLogin): string {
  const event = {
    schema: 1,
    event_id: `${deviceId}-test-1`,
    device_id: deviceId,
    event_type: 'test',
    value: 42,
  }
  const id = shellQuote(deviceId)
  const user = password === '' ? '' : ` -u ${id} \\\n  -P ${shellQuote(password)}`
  return [
    `mosquitto_pub -h ${host} -p ${port}${tls ? ` --cafile ${shellQuote(authority?.file ?? 'ca.crt')}` : ''} -i ${id}${user}${password === '' ? ' \\\n ' : ''} -q 1 -t ${shellQuote(eventsTopic)} \\`,
    `  -m ${shellQuote(JSON.stringify(event))}`,
  ].join('\n')
}

/** A string literal for each line. */
const cText = (lines: readonly string[]) => lines.map((line) => `  ${quote(`${line}\n`)}`).join('\n')

/** This format is stable: docs/devices.md. */
export function qrPayload({ deviceId, password, host, port, tls }: DeviceLogin): string {
  return JSON.stringify({ qs: 1, host, port, tls, user: deviceId, password, client_id: deviceId })
}

function qr(login: DeviceLogin): string {
  return renderUnicodeCompact(qrPayload(login), { border: 2 })
}
