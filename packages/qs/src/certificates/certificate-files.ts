import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../config/settings.ts'

/** A certificate with its key, as PEM files. */
export interface CertificateFiles {
  /** The certificate of the server, followed by intermediate ones. */
  readonly certFile: string
  readonly keyFile: string
}

/** The files that `qs certificate` writes. */
export interface CertificateFolder extends CertificateFiles {
  readonly folder: string
  readonly authorityFile: string
  readonly authorityKeyFile: string
  /** There while nobody asked for TLS: `qs up --lan` made the certificate, and logins without TLS stay the default. */
  readonly automaticFile: string
}

export function certificateFolder(dataDir: string): CertificateFolder {
  const folder = join(dataDir, 'tls')
  return {
    folder,
    certFile: join(folder, 'server.crt'),
    keyFile: join(folder, 'server.key'),
    authorityFile: join(folder, 'ca.crt'),
    authorityKeyFile: join(folder, 'ca.key'),
    automaticFile: join(folder, 'automatic'),
  }
}

/** Those of the settings, or those of `qs certificate`; null if there are none, and so no TLS. */
export function findCertificateFiles(config: Config): CertificateFiles | null {
  const { MQTT_TLS_CERT_FILE: certFile, MQTT_TLS_KEY_FILE: keyFile } = config
  if (certFile !== null && keyFile !== null) return { certFile, keyFile }
  const own = certificateFolder(config.QS_DATA_DIR)
  return existsSync(own.certFile) ? { certFile: own.certFile, keyFile: own.keyFile } : null
}
