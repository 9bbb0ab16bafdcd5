import type { Command } from 'commander'
import pc from 'picocolors'
import { renderUnicodeCompact } from 'uqr'
import { isAutomatic } from '../accounts/device-login.ts'
import { lanAddress } from '../accounts/lan-address.ts'
import { ensureLanPasswords } from '../accounts/lan-passwords.ts'
import { localName } from '../accounts/local-name.ts'
import { type EmbeddedStack, startEmbedded } from '../app/embedded.ts'
import { certificateFolder, findCertificateFiles } from '../certificates/certificate-files.ts'
import { readVariable } from '../config/environment.ts'
import { lanFile } from '../config/lan-file.ts'
import { inspectConfig, loadConfig } from '../config/load.ts'
import type { Config } from '../config/settings.ts'
import { isLoopback } from '../endpoints/loopback.ts'
import { createLog } from '../telemetry/log.ts'
import { visible } from '../telemetry/visible.ts'
import { runUntilStopped } from './run-until-stopped.ts'

interface Options {
  readonly lan?: true
  readonly tlsOnly?: true
  readonly certificate: boolean
  readonly demo?: true
}

export function registerUp(program: Command): void {
  program
    .command('up')
    .description(
      'run everything on this machine: broker, pipeline, console and, without DATABASE_URL, PostgreSQL',
    )
    .option('--lan', 'listen on all addresses, for real boards and browsers, with passwords')
    .option('--tls-only', 'with --lan: listen on all addresses only with TLS')
    .option(
      '--no-certificate',
      'with --lan: make and renew none, as in a container, whose names and addresses are not those of the machine',
    )
    .option('--demo', 'add simulated devices, with three hours of history and live events')
    .addHelpText(
      'after',
      `
Nothing else needs to be installed. The data is in QS_DATA_DIR (./data) and survives restarts. Ctrl-C finishes what
is in flight and stops everything.

Ports, all on 127.0.0.1: MQTT_PORT 1883, MQTT_WS_PORT 9001, HTTP_PORT 8080, POSTGRES_PORT 5433.
With a certificate (of --lan or qs certificate): MQTT_TLS_PORT 8883, and MQTT_WSS_PORT 8884 for WebSocket.

--lan makes the passwords that are missing, of the operator at the broker (MQTT_USERNAME, MQTT_PASSWORD) and in the
console (CONSOLE_OPERATOR_PASSWORD), and keeps them in QS_DATA_DIR/lan.env, which all commands read. It shows them once,
on a terminal. The console is then on the network too, with its login, unless HTTP_HOST is set. It also makes a certificate
for the names and addresses of this machine, unless one is set, and renews it before it ends and when these change. Boards
that connect without TLS notice nothing; for one with TLS: qs device add kitchen --tls.

With DATABASE_URL the events go into that PostgreSQL, 15 or newer, and none is started here. This is the fast way for a
server: boards connect to this process, and no other broker is needed. QS_DATA_DIR then holds only device accounts.

The PUBACK of an event follows its COMMIT. Sessions of subscribers and retained messages are in memory: a restart ends
them.

Example
  DATABASE_URL=postgresql://qs:secret@db/qs qs up --lan`,
    )
    .action(async (options: Options) => {
      const { tlsOnly = false, certificate } = options
      // npm takes the option of "npm start --lan" for its own.
      const lan = options.lan ?? readVariable('npm_config_lan') !== undefined
      const { config, made } = prepare(lan)
      const log = createLog(config.LOG_LEVEL)
      await runUntilStopped(log, async (signal) => {
        const stack = await startEmbedded(config, { lan, tlsOnly, certificate, log, signal })
        if (config.MQTT_URL !== null) log.warn('MQTT_URL is set but ignored: qs up has its own broker')
        const name = lan ? await localName() : null
        console.log(welcome(config, stack, { lan, tlsOnly, made, name }))
        if (options.demo) await stack.startDemo()
        return stack
      })
    })
}

/** The settings and, with `lan`, the new lines of passwords among them. */
function prepare(lan: boolean): { readonly config: Config; readonly made: readonly string[] } {
  if (!lan) return { config: loadConfig(), made: [] }
  const isDefault = inspectConfig().found.HTTP_HOST.source === 'default'
  const overrides = isDefault ? { HTTP_HOST: '0.0.0.0' } : {}
  const made = ensureLanPasswords(loadConfig(overrides))
  return { config: loadConfig(overrides), made }
}

interface Shown {
  readonly lan: boolean
  readonly tlsOnly: boolean
  readonly made: readonly string[]
  /** By which the network finds this machine. */
  readonly name: string | null
}

/** The output of a service ends up in logs, so it names the files of the passwords and never the passwords. */
function welcome(
  config: Config,
  { mqttPort, mqttWsPort, mqttTlsPort, mqttWssPort, database }: EmbeddedStack,
  { lan, tlsOnly, made, name }: Shown,
): string {
  const tlsHost = lan ? (name ?? lanAddress()) : '127.0.0.1'
  const host = lan && !tlsOnly ? lanAddress() : '127.0.0.1'
  const consoleHost = lan && !isLoopback(config.HTTP_HOST) ? lanAddress() : config.HTTP_HOST
  const consoleUrl = `http://${consoleHost}:${config.HTTP_PORT}`
  const rows = [
    ['MQTT', `mqtt://${host}:${mqttPort}`],
    ['WebSocket', `ws://${host}:${mqttWsPort}`],
    ...(mqttTlsPort === null
      ? []
      : [['with TLS', `mqtts://${tlsHost}:${mqttTlsPort}  wss://${tlsHost}:${mqttWssPort}`]]),
    ['Console', `${consoleUrl}  ${pc.dim('/api/docs /healthz /readyz /metrics')}`],
    ['PostgreSQL', `${database.url}  ${pc.dim(`password in ${database.password}`)}`],
  ]
  const auth =
    config.MQTT_USERNAME === null ? '' : ` -u '${visible(config.MQTT_USERNAME)}' -P "${passwordText(config)}"`
  const event =
    '{"schema":1,"event_id":"test-device-001","device_id":"test-device","event_type":"test","value":42}'
  return `
${pc.bold('qs-telemetry is running.')} An acknowledged event is a committed event.

${rows.map(([name, value]) => `  ${pc.cyan(String(name).padEnd(11))} ${value}`).join('\n')}
${lan ? lanText({ config, consoleUrl, made, name, tlsOnly, isTerminal: process.stdout.isTTY }) : ''}
Open the console in a browser. Or try it in another terminal:

  npx qs tail
  npx qs publish --device test-device --type temp --value 21.5
  mosquitto_pub -h ${host} -p ${mqttPort}${auth} -q 1 -t qs/v1/test-device/events -m '${event}'

Ctrl-C stops it. The data stays in ${config.DATABASE_URL === null ? config.QS_DATA_DIR : 'the database'}.
`
}

/** For a shell: where the password of the operator is. */
function passwordText({ QS_DATA_DIR: dataDir }: Config): string {
  const file = lanFile(dataDir)
  const isMade = inspectConfig().found.MQTT_PASSWORD.source === `file ${file}`
  return isMade ? `$(sed -n 's/^MQTT_PASSWORD=//p' '${file}')` : '$MQTT_PASSWORD'
}

export interface LanShown {
  readonly config: Config
  readonly consoleUrl: string
  readonly made: readonly string[]
  readonly name: string | null
  readonly tlsOnly: boolean
  readonly isTerminal: boolean
}

/** On a terminal also what must not end up in a log: new passwords, this once. */
export function lanText({ config, consoleUrl, made, name, tlsOnly, isTerminal }: LanShown): string {
  const file = lanFile(config.QS_DATA_DIR)
  const isOpen = !isLoopback(config.HTTP_HOST)
  const hasTls = findCertificateFiles(config) !== null
  const ports = [
    ...(tlsOnly ? [] : [config.MQTT_PORT]),
    ...(hasTls ? [config.MQTT_TLS_PORT] : []),
    ...(isOpen ? [config.HTTP_PORT] : []),
  ]
  const lines = [
    ...(made.length === 0 ? [] : [`New passwords are in ${file}; all commands here read them.`]),
    ...(made.length > 0 && isTerminal ? made.map((line) => `  ${line}`) : []),
    'An account for a board: npx qs device add kitchen',
    ...tlsLines(config),
    `Open in the firewall: ${ports.join(', ')}`,
    ...(isOpen
      ? [
          'Console: log in as operator, from any browser on this network.',
          ...(name === null
            ? []
            : [`Also by name, while this machine announces it: http://${name}:${config.HTTP_PORT}`]),
        ]
      : []),
    ...(isOpen && isTerminal ? [renderUnicodeCompact(consoleUrl)] : []),
  ]
  return `\n${lines.join('\n')}\n`
}

/** How a board pins the authority. With a certificate of the settings that is for its owner to know. */
function tlsLines(config: Config): readonly string[] {
  const { certFile, authorityFile } = certificateFolder(config.QS_DATA_DIR)
  if (findCertificateFiles(config)?.certFile !== certFile) return []
  const option = isAutomatic(config) ? ' --tls' : ''
  return [
    `With TLS: npx qs device add kitchen${option} --snippet arduino; its lines have the authority that the board pins`,
    `  (${authorityFile}; for clients: --cafile, MQTT_CA_FILE).`,
  ]
}
