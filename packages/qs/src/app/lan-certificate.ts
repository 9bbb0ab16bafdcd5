import { existsSync } from 'node:fs'
import { isIP, isIPv4 } from 'node:net'
import { lanAddress } from '../accounts/lan-address.ts'
import { localName } from '../accounts/local-name.ts'
import { certificateFolder, findCertificateFiles } from '../certificates/certificate-files.ts'
import { namesOf } from '../certificates/own-names.ts'
import { readServerCertificate, type ServerCertificate } from '../certificates/server-certificate.ts'
import { whyRenew } from '../certificates/why-renew.ts'
import type { Config } from '../config/settings.ts'
import { probePort } from '../endpoints/probe-port.ts'
import { logged } from '../errors/reason-of.ts'
import type { Log } from '../telemetry/log.ts'

/*
 * The certificate of a broker in the network is made at its first start, and issued again by the same authority when
 * the machine has a new name or address, or a third of its time is left. Boards trust the authority, so that only those
 * that connect to a former address notice. A certificate of the settings is never touched.
 */

export interface LanCertificateOptions {
  /** Somebody asked for TLS: logins for boards have it by default. */
  readonly tlsOnly: boolean
  readonly log: Log
  /** Names and addresses of this machine. */
  readonly names?: () => readonly string[]
  /** The one of them that boards connect to. */
  readonly boardName?: () => Promise<string>
  readonly now?: () => number
}

const CHECK_MS = 60_000
const DAYS = 825
const DAY_MS = 86_400_000

/** Makes the certificate, if there is none, and keeps it current. @returns a function that ends it */
export async function keepLanCertificate(
  config: Config,
  options: LanCertificateOptions,
): Promise<() => void> {
  const { make, renew } = lanCertificate(config, options)
  if (findCertificateFiles(config) === null) await make()
  await renew()
  const timer = setInterval(() => void renew(), CHECK_MS).unref()
  return () => clearInterval(timer)
}

/** Both only log what fails: there is still the port without TLS, or the former certificate. */
export function lanCertificate(
  config: Config,
  {
    tlsOnly,
    log,
    names = () => namesOf(config),
    boardName = findBoardName,
    now = Date.now,
  }: LanCertificateOptions,
) {
  const folder = certificateFolder(config.QS_DATA_DIR)
  const issue = async (lead: string, days: number, automatic: boolean) => {
    // Only here: the library that signs takes memory.
    const { renewCertificate } = await import('../certificates/renew-certificate.ts')
    const terms = { names: [lead, ...names()], days, automatic, newAuthority: false, nowMs: now() }
    await renewCertificate(config.QS_DATA_DIR, terms)
  }
  let complaint = ''
  const attempt = async (act: () => Promise<void>) => {
    try {
      await act()
      complaint = ''
    } catch (error) {
      const { message } = error as Error
      if (message !== complaint) log.warn(logged(error), 'The certificate for TLS could not be issued')
      complaint = message
    }
  }
  const make = async () => {
    const port = await busyPort(config)
    if (port !== null)
      return log.warn(
        `No certificate is made, since another program has port ${port}. For TLS, set MQTT_TLS_PORT and MQTT_WSS_PORT to free ports and start again`,
      )
    await issue(await boardName(), DAYS, !tlsOnly)
  }
  const renew = async () => {
    // Of the settings, or none.
    if (findCertificateFiles(config)?.certFile !== folder.certFile) return
    const current = readServerCertificate(folder)
    const isAutomatic = existsSync(folder.automaticFile)
    const reason = whyRenew(current, names(), now())
    if (reason === null && !(tlsOnly && isAutomatic)) return
    const [first = ''] = current.names
    // Other names are of somebody who gave them to qs certificate.
    const isFormer = !names().includes(first) && (isAutomatic || isIP(first) !== 0)
    await issue(isFormer ? await boardName() : first, daysOf(current), isAutomatic && !tlsOnly)
    if (reason?.endsSoon) log.info('Renewed the certificate for TLS. Boards need no change')
    if (reason !== null && reason.newNames.length > 0)
      log.warn(changeText(reason.newNames, gone(current, names())))
  }
  return { make: () => attempt(make), renew: () => attempt(renew) }
}

/** For how long it was issued, without the day by which it is backdated. */
function daysOf({ validFromMs, validToMs }: ServerCertificate): number {
  return Math.min(DAYS, Math.max(1, Math.round((validToMs - validFromMs) / DAY_MS) - 1))
}

function gone({ names: certified }: ServerCertificate, names: readonly string[]): readonly string[] {
  return certified.filter((name) => isIPv4(name) && !names.includes(name))
}

function changeText(added: readonly string[], former: readonly string[]): string {
  const what = `This machine has a new name or address, ${added.join(', ')}. The certificate has it now; boards keep their ca.crt`
  return former.length === 0
    ? what
    : `${what}. Boards that connect to a former address (${former.join(', ')}) need the new one, or better a name`
}

async function findBoardName(): Promise<string> {
  return (await localName()) ?? lanAddress()
}

async function busyPort({ MQTT_TLS_PORT, MQTT_WSS_PORT }: Config): Promise<number | null> {
  for (const port of [MQTT_TLS_PORT, MQTT_WSS_PORT])
    if ((await probePort('127.0.0.1', port)) === 'open') return port
  return null
}
