// A polyfill that the library needs, and must come first.
import 'reflect-metadata'
import { randomBytes, webcrypto } from 'node:crypto'
import { isIP } from 'node:net'
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  type JsonGeneralName,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509'

/** A certificate and its private key, as PEM. */
export interface Issued {
  readonly cert: string
  readonly key: string
}

export interface IssueOptions {
  readonly nowMs: number
  readonly days: number
}

/** P-256, which boards verify in a tenth of the time of RSA. */
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const DAY_MS = 86_400_000
/** A board whose clock is late still accepts a new certificate. */
const BACKDATED_MS = DAY_MS

/** A private authority that signs certificates of servers, and no other authorities. */
export async function issueAuthority(name: string, options: IssueOptions): Promise<Issued> {
  const keys = await newKeys()
  const usages = KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign
  const certificate = await X509CertificateGenerator.createSelfSigned({
    ...{ name: `CN=${name}`, keys, signingAlgorithm: ALGORITHM, serialNumber: newSerial() },
    ...validity(options),
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(usages, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return { cert: pem(certificate), key: await pemOf(keys.privateKey) }
}

/**
 * A certificate for a server, signed by the authority, with a new key. It ends no later than the authority.
 *
 * @param names host names and IP addresses, at least one
 */
export async function issueServerCertificate(
  names: readonly string[],
  authority: Issued,
  options: IssueOptions,
): Promise<Issued> {
  const issuer = new X509Certificate(authority.cert)
  const signingKey = await webcrypto.subtle.importKey(
    'pkcs8',
    PemConverter.decode(authority.key)[0] as ArrayBuffer,
    ALGORITHM,
    false,
    ['sign'],
  )
  const keys = await newKeys()
  const { notBefore, notAfter } = validity(options)
  const extensions: readonly Extension[] = [
    new BasicConstraintsExtension(false, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
    new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
    new SubjectAlternativeNameExtension(names.map(generalName)),
    await SubjectKeyIdentifierExtension.create(keys.publicKey),
    await AuthorityKeyIdentifierExtension.create(issuer),
  ]
  const certificate = await X509CertificateGenerator.create({
    ...{ subject: 'CN=qs-telemetry', issuer: issuer.subject, serialNumber: newSerial() },
    ...{ publicKey: keys.publicKey, signingKey, signingAlgorithm: ALGORITHM, notBefore },
    notAfter: notAfter < issuer.notAfter ? notAfter : issuer.notAfter,
    extensions: [...extensions],
  })
  return { cert: pem(certificate), key: await pemOf(keys.privateKey) }
}

function generalName(name: string): JsonGeneralName {
  return { type: isIP(name) === 0 ? 'dns' : 'ip', value: name }
}

function validity({ nowMs, days }: IssueOptions) {
  return { notBefore: new Date(nowMs - BACKDATED_MS), notAfter: new Date(nowMs + days * DAY_MS) }
}

/** 127 bits, positive, as RFC 5280, 4.1.2.2 asks. */
function newSerial(): string {
  const bytes = randomBytes(16)
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40
  return bytes.toString('hex')
}

function newKeys() {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
}

function pem(certificate: X509Certificate): string {
  return `${certificate.toString('pem')}\n`
}

async function pemOf(key: webcrypto.CryptoKey): Promise<string> {
  return `${PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), PemConverter.PrivateKeyTag)}\n`
}
