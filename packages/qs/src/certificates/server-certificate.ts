import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { isIPv6 } from 'node:net'
import { QsError } from '../errors/qs-error.ts'
import type { CertificateFiles } from './certificate-files.ts'

/** A certificate and its key that belong together. */
export interface ServerCertificate {
  /** PEM. */
  readonly cert: string
  readonly key: string
  /** Names and addresses that it is for. */
  readonly names: readonly string[]
  readonly validFromMs: number
  readonly validToMs: number
  /** SHA-256, as `openssl x509 -fingerprint -sha256` prints it. */
  readonly fingerprint: string
}

/**
 * Reads and checks a certificate with its key. One that has expired is read too: clients that check it refuse it
 * themselves.
 *
 * @throws QsError CERTIFICATE_UNUSABLE that names the file and what is wrong with it
 */
export function readServerCertificate({ certFile, keyFile }: CertificateFiles): ServerCertificate {
  const cert = readText(certFile)
  const key = readText(keyFile)
  const parsed = parse(certFile, 'no certificate in PEM', () => new X509Certificate(cert))
  const isPair = parsed.checkPrivateKey(parse(keyFile, 'no private key in PEM', () => keyOf(key)))
  if (!isPair)
    throw unusable(
      `${keyFile} is not the key of the first certificate in ${certFile}: they are of different pairs`,
    )
  return {
    ...{ cert, key, fingerprint: parsed.fingerprint256 },
    names: namesOf(parsed.subjectAltName),
    validFromMs: Date.parse(parsed.validFrom),
    validToMs: Date.parse(parsed.validTo),
  }
}

/** From `DNS:nas.local, IP Address:FD00:0:0:0:0:0:0:2`: IPv6 addresses in their usual form. */
function namesOf(subjectAltName: string | undefined): readonly string[] {
  return (subjectAltName ?? '')
    .split(', ')
    .filter((each) => /^(DNS|IP Address):/.test(each))
    .map((each) => each.slice(each.indexOf(':') + 1))
    .map((name) => (isIPv6(name) ? new URL(`http://[${name}]`).hostname.slice(1, -1) : name))
}

function keyOf(pem: string): KeyObject {
  if (pem.includes('ENCRYPTED'))
    throw new RangeError('it is encrypted with a passphrase, which nobody enters here')
  return createPrivateKey(pem)
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw unusable(`${file} cannot be read: ${(cause as Error).message}`, cause)
  }
}

function parse<T>(file: string, otherwise: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    const problem = cause instanceof RangeError ? cause.message : otherwise
    throw unusable(`${file} cannot be used: ${problem}`, cause)
  }
}

function unusable(problem: string, cause?: unknown): QsError {
  return new QsError('CERTIFICATE_UNUSABLE', problem, { cause })
}
