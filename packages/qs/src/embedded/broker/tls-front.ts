import type { Socket } from 'node:net'
import { createServer, type Server, type TLSSocket } from 'node:tls'
import type { ServerCertificate } from '../../certificates/server-certificate.ts'
import type { ClientComplaints } from './client-complaints.ts'

export interface TlsFrontOptions {
  readonly certificate: ServerCertificate
  /** For the handshake. Node starts it once, so that bytes that trickle in do not extend it. */
  readonly timeoutMs: number
  /** The setting with the port, for messages. */
  readonly setting: 'MQTT_TLS_PORT' | 'MQTT_WSS_PORT'
  readonly complaints: ClientComplaints
  readonly onSecure: (socket: TLSSocket) => void
}

/** What a failed handshake means, by the code of OpenSSL or Node. */
const MEANINGS: Readonly<Record<string, string>> = {
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA:
    'it does not trust the authority of the certificate: it needs the current ca.crt',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    'it does not accept the certificate: it needs ca.crt, and must connect to a name in the certificate',
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE:
    'it does not accept the certificate: it needs ca.crt, and must connect to a name in the certificate',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    'for it the certificate has expired or is not valid yet: is its clock right?',
  ERR_SSL_WRONG_VERSION_NUMBER:
    'it does not speak TLS: without TLS it needs the port of MQTT_PORT or MQTT_WS_PORT',
  ERR_SSL_PACKET_LENGTH_TOO_LONG:
    'it does not speak TLS: without TLS it needs the port of MQTT_PORT or MQTT_WS_PORT',
  ERR_SSL_HTTP_REQUEST: 'it speaks HTTP without TLS',
  ERR_TLS_HANDSHAKE_TIMEOUT: 'its handshake took too long',
}

/** Turns sockets that were accepted elsewhere, and count there, into TLS sockets. It listens on no port itself. */
export class TlsFront {
  readonly #server: Server

  constructor({ certificate, timeoutMs, setting, complaints, onSecure }: TlsFrontOptions) {
    const { cert, key } = certificate
    this.#server = createServer({ cert, key, handshakeTimeout: timeoutMs, noDelay: true }, onSecure)
    this.#server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
      const { code = '' } = error
      const address = socket.remoteAddress
      // A client that leaves says nothing about its reason.
      if (code !== 'ECONNRESET') {
        const text = `a TLS handshake on ${setting} failed: ${MEANINGS[code] ?? error.message}`
        complaints.say(`tls ${code}`, { address, code }, text)
      }
      socket.destroy()
    })
  }

  accept(socket: Socket): void {
    this.#server.emit('connection', socket)
  }

  /** Current connections keep the certificate that they have. */
  use({ cert, key }: ServerCertificate): void {
    this.#server.setSecureContext({ cert, key })
  }
}
