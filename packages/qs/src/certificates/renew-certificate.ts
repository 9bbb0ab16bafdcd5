import { X509Certificate } from 'node:crypto'
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { QsError } from '../errors/qs-error.ts'
import { type CertificateFiles, type CertificateFolder, certificateFolder } from './certificate-files.ts'
import { type Issued, issueAuthority, issueServerCertificate } from './issue-certificate.ts'
import { readServerCertificate, type ServerCertificate } from './server-certificate.ts'

export interface RenewOptions {
  readonly names: readonly string[]
  readonly days: number
  /** Replaces the authority too, so that every board needs its new certificate. */
  readonly newAuthority: boolean
  /** Made by `qs up --lan`, not asked for. */
  readonly automatic?: boolean
  readonly nowMs: number
}

export interface Renewed {
  readonly folder: CertificateFolder
  readonly certificate: ServerCertificate
  readonly authority: { readonly fingerprint: string; readonly isNew: boolean }
}

const AUTHORITY_NAME = 'qs-telemetry private CA'
const AUTHORITY_DAYS = 3_650

/**
 * Creates the certificate in the data directory, signed by the private authority there, or renews it. The names of the
 * previous certificate stay in it.
 *
 * @throws QsError AUTHORITY_UNUSABLE if the authority has expired, or its files do not belong together
 */
export async function renewCertificate(dataDir: string, options: RenewOptions): Promise<Renewed> {
  const { days, newAuthority, automatic = false, nowMs } = options
  const folder = certificateFolder(dataDir)
  // The account of the embedded PostgreSQL must be able to enter the data directory, and has no business in this one.
  mkdirSync(dataDir, { recursive: true })
  mkdirSync(folder.folder, { recursive: true, mode: 0o700 })
  const kept = newAuthority ? null : keptAuthority(folder, nowMs)
  const authority = kept ?? (await issueAuthority(AUTHORITY_NAME, { nowMs, days: AUTHORITY_DAYS }))
  if (kept === null) write(authority, { certFile: folder.authorityFile, keyFile: folder.authorityKeyFile })
  const names = [...new Set([...options.names, ...previousNames(folder)])]
  const issued = await issueServerCertificate(names, authority, { nowMs, days })
  // First: a certificate without it would be one that was asked for.
  if (automatic) writeFileSync(folder.automaticFile, '')
  else rmSync(folder.automaticFile, { force: true })
  write(issued, folder)
  const { fingerprint256: fingerprint } = new X509Certificate(authority.cert)
  return {
    folder,
    certificate: readServerCertificate(folder),
    authority: { fingerprint, isNew: kept === null },
  }
}

/** @returns null if there is none yet */
function keptAuthority(folder: CertificateFolder, nowMs: number): Issued | null {
  const { authorityFile: certFile, authorityKeyFile: keyFile } = folder
  if (!existsSync(certFile) && !existsSync(keyFile)) return null
  try {
    const authority = readServerCertificate({ certFile, keyFile })
    if (authority.validToMs > nowMs) return authority
  } catch (cause) {
    if (!(cause instanceof QsError)) throw cause
    throw new QsError('AUTHORITY_UNUSABLE', cause.problem, { cause })
  }
  throw new QsError('AUTHORITY_UNUSABLE', `The authority in ${certFile} has expired`)
}

function previousNames(folder: CertificateFolder): readonly string[] {
  if (!existsSync(folder.certFile)) return []
  try {
    return readServerCertificate(folder).names
  } catch {
    // It is replaced, whatever is wrong with it.
    return []
  }
}

/** Each file is replaced as a whole: a broker that runs may read it at any time. The key comes first. */
function write({ cert, key }: Issued, { certFile, keyFile }: CertificateFiles): void {
  for (const [file, text] of [
    [keyFile, key],
    [certFile, cert],
  ] as const) {
    writeFileSync(`${file}.new`, text, { mode: 0o600 })
    renameSync(`${file}.new`, file)
  }
}
