import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Certificates {
  /** The authority that signed the server's certificate. */
  readonly authority: string
  readonly certificate: string
  readonly key: string
}

/** Makes a private authority and a certificate for `localhost` only, in the folder. */
export function makeCertificates(directory: string, name: string): Certificates {
  const path = (suffix: string) => join(directory, `${name}-${suffix}`)
  const openssl = (...args: readonly string[]) => execFileSync('openssl', args, { stdio: 'ignore' })
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  openssl(
    'req',
    '-x509',
    ...ec,
    '-days',
    '2',
    '-subj',
    `/CN=${name}`,
    '-keyout',
    path('ca.key'),
    '-out',
    path('ca.pem'),
  )
  openssl('req', ...ec, '-subj', '/CN=localhost', '-keyout', path('key.pem'), '-out', path('request'))
  writeFileSync(path('names'), 'subjectAltName=DNS:localhost')
  const signer = ['-CA', path('ca.pem'), '-CAkey', path('ca.key'), '-CAcreateserial']
  openssl(
    'x509',
    '-req',
    '-in',
    path('request'),
    ...signer,
    '-days',
    '2',
    '-extfile',
    path('names'),
    '-out',
    path('cert.pem'),
  )
  return { authority: path('ca.pem'), certificate: path('cert.pem'), key: path('key.pem') }
}
