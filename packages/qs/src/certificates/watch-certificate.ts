import { statSync } from 'node:fs'
import { logged } from '../errors/reason-of.ts'
import type { Log } from '../telemetry/log.ts'
import type { CertificateFiles } from './certificate-files.ts'
import { readServerCertificate, type ServerCertificate } from './server-certificate.ts'

export interface WatchOptions {
  readonly onChange: (certificate: ServerCertificate) => void
  readonly log: Log
}

/** The files are asked for their time: a watch of the folder misses what a link such as certbot's leads to. */
const CHECK_MS = 5_000

/**
 * Reads the certificate again when one of its files has changed. The two are not replaced at the same instant, so that
 * a pair which does not match is only logged; the next change is read again.
 *
 * @returns a function that ends it
 */
export function watchCertificate(files: CertificateFiles, { onChange, log }: WatchOptions): () => void {
  const read = () => {
    try {
      const certificate = readServerCertificate(files)
      onChange(certificate)
      log.info({ validTo: new Date(certificate.validToMs) }, 'Uses the new certificate for new connections')
    } catch (error) {
      log.warn(logged(error), 'The files of the certificate have changed; the previous one stays in use')
    }
  }
  // Compared with now: the first look of fs.watchFile comes later, and misses a change until then.
  let seen = stateOf(files)
  const look = () => {
    const now = stateOf(files)
    if (now === seen) return
    seen = now
    read()
  }
  const timer = setInterval(look, CHECK_MS).unref()
  return () => clearInterval(timer)
}

function stateOf({ certFile, keyFile }: CertificateFiles): string {
  const states = [certFile, keyFile].map((path) => statSync(path, { throwIfNoEntry: false }))
  return states.map((state) => `${state?.ino} ${state?.size} ${state?.mtimeMs}`).join(', ')
}
