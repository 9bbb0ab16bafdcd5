import type { Command } from 'commander'
import pc from 'picocolors'
import { namesOf } from '../certificates/own-names.ts'
import { type Renewed, renewCertificate } from '../certificates/renew-certificate.ts'
import { integer } from '../config/kinds.ts'
import { loadConfig } from '../config/load.ts'
import type { Config } from '../config/settings.ts'
import { QsError } from '../errors/qs-error.ts'
import { parseWith } from './parse-option.ts'

interface Options {
  readonly days: number
  readonly newAuthority?: true
  readonly json?: true
}

/** The most that Apple devices accept. */
const MAX_DAYS = 825

export function registerCertificate(program: Command): void {
  program
    .command('certificate [names...]')
    .description('create or renew the TLS certificate of qs up, signed by a private authority')
    .option('--days <days>', 'how long it is valid', parseWith(integer(1, MAX_DAYS)), MAX_DAYS)
    .option('--new-authority', 'replace the authority too; every board then needs the new ca.crt')
    .option('--json', 'print files, names, fingerprints and end as JSON')
    .addHelpText(
      'after',
      `
The certificate is for the names and addresses of this machine, for MQTT_PUBLIC_URL, for the names given here (host
names or IP addresses by which boards connect), and for those of the certificate that it replaces.

Everything is in QS_DATA_DIR/tls, readable only by you: server.crt and server.key for qs up, ca.crt for boards, and
ca.key, which is needed only to renew. Boards trust the authority in ca.crt, so that renewing changes nothing for them.
A running qs up that has TLS already uses the new certificate within seconds; otherwise restart it.

Example
  qs certificate nas.local`,
    )
    .action(async (given: readonly string[], { days, newAuthority, json }: Options) => {
      const config = loadConfig()
      const names = [...new Set([...given.map(checkName), ...namesOf(config)])]
      const nowMs = Date.now()
      const options = { names, days, newAuthority: newAuthority ?? false, nowMs }
      const renewed = await renewCertificate(config.QS_DATA_DIR, options)
      console.log(
        json
          ? JSON.stringify(asJson(renewed))
          : describe(renewed, given[0] ?? names[0] ?? 'localhost', config),
      )
    })
}

function checkName(name: string): string {
  if (/^[A-Za-z0-9*]([A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(name) || /^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*$/.test(name))
    return name.toLowerCase()
  throw new QsError('WRONG_USAGE', `"${name}" is not a host name or an IP address`)
}

function asJson({ folder, certificate, authority }: Renewed) {
  return {
    names: certificate.names,
    valid_to: new Date(certificate.validToMs).toISOString(),
    certificate: { file: folder.certFile, key_file: folder.keyFile, sha256: certificate.fingerprint },
    authority: { file: folder.authorityFile, sha256: authority.fingerprint, new: authority.isNew },
  }
}

function describe(
  { folder, certificate, authority }: Renewed,
  host: string,
  { MQTT_TLS_PORT: port }: Config,
): string {
  const end = new Date(certificate.validToMs).toISOString().slice(0, 10)
  return `
${pc.bold(`Certificate for ${certificate.names.join(', ')}`)}, valid until ${end}.

  ${pc.cyan('authority'.padEnd(12))} ${folder.authorityFile}  ${pc.dim(authority.isNew ? 'new' : 'unchanged')}
  ${''.padEnd(12)} SHA-256 ${authority.fingerprint}
  ${pc.cyan('certificate'.padEnd(12))} ${folder.certFile}
  ${''.padEnd(12)} SHA-256 ${certificate.fingerprint}

Boards trust the authority: give them ${folder.authorityFile}, which stays the same when the certificate is renewed.
Start qs up, or restart it if it runs without TLS. Then:

  mosquitto_pub --cafile ${folder.authorityFile} -h ${host} -p ${port} -q 1 …
  MQTT_URL=mqtts://${host}:${port} MQTT_CA_FILE=${folder.authorityFile} npx qs tail

Whoever has ${folder.authorityKeyFile} can impersonate your broker: keep it private, and a copy of it elsewhere.
`
}
