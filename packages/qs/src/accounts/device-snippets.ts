import { renderUnicodeCompact } from 'uqr'
import { type Authority, brokerUrlOf, type DeviceLogin } from './device-login.ts'

/** JSON strings are valid in C and Python. */
const quote = (text: string) => JSON.stringify(text)
const shellQuote = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`

/** Without a password, no user name either. */
const userOf = ({ deviceId, password }: DeviceLogin) => (password === '' ? '' : deviceId)

/** Lines to paste for each kind of device. The constants have the same names as in `examples/`. */
export const SNIPPETS = { arduino, 'esp-idf': espIdf, micropython, mosquitto, qr } as const

export type SnippetName = keyof typeof SNIPPETS

function arduino(login: DeviceLogin): string {
  const { deviceId, password, host, port, tls, authority } = login
  return [
    `const char BROKER[] = ${quote(host)};`,
    `const int BROKER_PORT = ${port};`,
    `const char DEVICE_ID[] = ${quote(deviceId)};`,
    `const char MQTT_USER[] = ${quote(userOf(login))};`,
    `const char MQTT_PASSWORD[] = ${quote(password)};`,
    ...(authority === null ? [] : [`const char CA[] = R"(${authority.pem.join('\n')})";`]),
    ...(tls
      ? [
          authority === null
            ? '// TLS: give the kit a WiFiClientSecure with your certificate authority: docs/device-kit.md, TLS.'
            : '// TLS: give the kit a WiFiClientSecure after setCACert(CA): docs/device-kit.md, TLS.',
        ]
      : []),
  ].join('\n')
}

/** ESP-IDF 5 and newer. */
function espIdf(login: DeviceLogin): string {
  return [
    `// events: ${login.eventsTopic}, device acks: ${login.acksTopic}`,
    ...(login.authority === null ? [] : [`static const char ca_pem[] =\n${cText(login.authority.pem)};`]),
    'const esp_mqtt_client_config_t config = {',
    `  .broker.address.uri = ${quote(brokerUrlOf(login))},`,
    ...(login.tls
      ? [
          `  .broker.verification.certificate = ca_pem,${login.authority === null ? '  // your certificate authority, PEM' : ''}`,
        ]
      : []),
    `  .credentials.client_id = ${quote(login.deviceId)},`,
    ...(login.password === ''
      ? []
      : [
          `  .credentials.username = ${quote(login.deviceId)},`,
          `  .credentials.authentication.password = ${quote(login.password)},`,
        ]),
    '};',
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
    ...(tls && authority === null
      ? ['# TLS: give MQTTClient an ssl context with your certificate authority.']
      : []),
    ...(authority === null ? [] : micropythonTls(authority)),
  ].join('\n')
}

function micropythonTls({ pem }: Authority): readonly string[] {
  return [
    'import ssl',
    `CA = b"""${pem.join('\n')}"""`,
    'context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)',
    'context.load_verify_locations(cadata=CA)',
    '# TLS: give MQTTClient ssl=context.',
  ]
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
