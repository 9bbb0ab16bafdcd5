import { existsSync, readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { ackTopic, brokerUrls } from '@qs-telemetry/protocol'
import { certificateFolder, findCertificateFiles } from '../certificates/certificate-files.ts'
import { readServerCertificate, type ServerCertificate } from '../certificates/server-certificate.ts'
import type { Config } from '../config/settings.ts'
import { isLoopback } from '../endpoints/loopback.ts'
import { QsError } from '../errors/qs-error.ts'
import { lanAddress } from './lan-address.ts'

/** A certificate authority. */
export interface Authority {
  readonly file: string
  /** Its certificate, lines of PEM. */
  readonly pem: readonly string[]
}

/** Everything a board needs to connect. */
export interface DeviceLogin {
  readonly deviceId: string
  readonly password: string
  readonly host: string
  readonly port: number
  readonly tls: boolean
  /** The private authority that signed the certificate of the broker; null: without TLS, or a public one. */
  readonly authority: Authority | null
  readonly eventsTopic: string
  readonly acksTopic: string
}

export function deviceLogin(config: Config, deviceId: string, password: string): DeviceLogin {
  const { hostname, port, protocol } = new URL(publicUrl(config))
  const tls = protocol === 'mqtts:'
  return {
    deviceId,
    password,
    host: hostname,
    port: Number(port) || (tls ? 8883 : 1883),
    tls,
    authority: tls ? findAuthority(config) : null,
    eventsTopic: config.MQTT_EVENTS_TOPIC.topicOf(deviceId),
    acksTopic: ackTopic(config.ACK_TEMPLATE, deviceId),
  }
}

export function brokerUrlOf({ host, port, tls }: DeviceLogin): string {
  return `${tls ? 'mqtts' : 'mqtt'}://${host}:${port}`
}

/**
 * Boards cannot reach a loopback address, so this machine's network address replaces it. With TLS it is a name, since
 * mbed TLS before 3.5 ignores addresses in a certificate.
 */
function publicUrl(config: Config): string {
  const { MQTT_PUBLIC_URL, MQTT_URL, MQTT_PORT } = config
  if (MQTT_PUBLIC_URL !== null) return MQTT_PUBLIC_URL
  const tlsUrl = isAutomatic(config) ? null : embeddedTlsUrl(config)
  if (tlsUrl !== null) return tlsUrl
  const [node = ''] = brokerUrls(MQTT_URL ?? `mqtt://127.0.0.1:${MQTT_PORT}`)
  const url = new URL(node)
  if (isLoopback(url.hostname)) url.hostname = lanAddress()
  return url.href
}

/**
 * Settings whose logins are with TLS, or without, as a command asks. MQTT_PUBLIC_URL and MQTT_URL, which say so themselves,
 * stay.
 *
 * @param tls absent: with TLS if somebody asked for the certificate
 * @throws QsError NO_CERTIFICATE
 */
export function withTls(config: Config, tls: boolean | undefined): Config {
  if (tls === undefined || config.MQTT_PUBLIC_URL !== null || config.MQTT_URL !== null) return config
  const url = tls ? embeddedTlsUrl(config) : `mqtt://${lanAddress()}:${config.MQTT_PORT}`
  if (url === null) throw new QsError('NO_CERTIFICATE', 'The broker has no certificate')
  return { ...config, MQTT_PUBLIC_URL: url }
}

/** null: the broker is another one, or has no certificate. */
function embeddedTlsUrl(config: Config): string | null {
  const files = config.MQTT_URL === null ? findCertificateFiles(config) : null
  return files && `mqtts://${nameOf(readServerCertificate(files))}:${config.MQTT_TLS_PORT}`
}

/** Whether there is TLS without anybody having asked for it: boards that know nothing of it connect without. */
export function isAutomatic(config: Config): boolean {
  const own = certificateFolder(config.QS_DATA_DIR)
  return findCertificateFiles(config)?.certFile === own.certFile && existsSync(own.automaticFile)
}

/** What is named first, or `nas.local` rather than `nas`, which only some networks resolve. */
function nameOf({ names }: ServerCertificate): string {
  const [first = ''] = names
  if (isIP(first) !== 0) return first
  const hosts = names.filter((name) => isIP(name) === 0 && name !== 'localhost')
  return hosts.find((name) => name.includes('.')) ?? hosts[0] ?? lanAddress()
}

/** MQTT_CA_FILE, or that of `qs certificate` if its certificate is in use. */
function findAuthority(config: Config): Authority | null {
  const own = certificateFolder(config.QS_DATA_DIR)
  const isOwn = findCertificateFiles(config)?.certFile === own.certFile
  const file = config.MQTT_CA_FILE ?? (isOwn ? own.authorityFile : null)
  if (file === null || !existsSync(file)) return null
  return { file, pem: readFileSync(file, 'utf8').trim().split(/\r?\n/) }
}
