import type { Command } from 'commander'
import pc from 'picocolors'
import { lanAddress } from '../accounts/lan-address.ts'
import { type EmbeddedStack, startEmbedded } from '../app/embedded.ts'
import { loadConfig } from '../config/load.ts'
import type { Config } from '../config/settings.ts'
import { createLog } from '../telemetry/log.ts'
import { visible } from '../telemetry/visible.ts'
import { runUntilStopped } from './run-until-stopped.ts'

interface Options {
  readonly lan?: true
  readonly tlsOnly?: true
  readonly demo?: true
}

export function registerUp(program: Command): void {
  program
    .command('up')
    .description(
      'run everything on this machine: broker, pipeline, console and, without DATABASE_URL, PostgreSQL',
    )
    .option('--lan', 'listen on all addresses, for real boards; needs MQTT_USERNAME and MQTT_PASSWORD')
    .option(
      '--tls-only',
      'with --lan: listen on all addresses only with TLS; needs a certificate (qs certificate)',
    )
    .option('--demo', 'add simulated devices, with three hours of history and live events')
    .addHelpText(
      'after',
      `
Nothing else needs to be installed. The data is in QS_DATA_DIR (./data) and survives restarts. Ctrl-C finishes what
is in flight and stops everything.

Ports, all on 127.0.0.1: MQTT_PORT 1883, MQTT_WS_PORT 9001, HTTP_PORT 8080, POSTGRES_PORT 5433.
With a certificate (qs certificate): MQTT_TLS_PORT 8883, and MQTT_WSS_PORT 8884 for WebSocket.

With DATABASE_URL the events go into that PostgreSQL, 15 or newer, and none is started here. This is the fast way for a
server: boards connect to this process, and no other broker is needed. QS_DATA_DIR then holds only device accounts.

The PUBACK of an event follows its COMMIT. Sessions of subscribers and retained messages are in memory: a restart ends
them.

Example
  DATABASE_URL=postgresql://qs:secret@db/qs qs up --lan`,
    )
    .action(async (options: Options) => {
      const config = loadConfig()
      const log = createLog(config.LOG_LEVEL)
      await runUntilStopped(log, async (signal) => {
        const { lan = false, tlsOnly = false } = options
        const stack = await startEmbedded(config, { lan, tlsOnly, log, signal })
        if (config.MQTT_URL !== null) log.warn('MQTT_URL is set but ignored: qs up has its own broker')
        console.log(welcome(config, stack, { lan, tlsOnly }))
        if (options.demo) await stack.startDemo()
        return stack
      })
    })
}

/** The output of a service ends up in logs, so it names the files of the passwords and never the passwords. */
function welcome(
  config: Config,
  { mqttPort, mqttWsPort, mqttTlsPort, mqttWssPort, database }: EmbeddedStack,
  { lan, tlsOnly }: { readonly lan: boolean; readonly tlsOnly: boolean },
): string {
  const tlsHost = lan ? lanAddress() : '127.0.0.1'
  const host = tlsOnly ? '127.0.0.1' : tlsHost
  const rows = [
    ['MQTT', `mqtt://${host}:${mqttPort}`],
    ['WebSocket', `ws://${host}:${mqttWsPort}`],
    ...(mqttTlsPort === null
      ? []
      : [['with TLS', `mqtts://${tlsHost}:${mqttTlsPort}  wss://${tlsHost}:${mqttWssPort}`]]),
    [
      'Console',
      `http://${config.HTTP_HOST}:${config.HTTP_PORT}  ${pc.dim('/api/docs /healthz /readyz /metrics')}`,
    ],
    ['PostgreSQL', `${database.url}  ${pc.dim(`password in ${database.password}`)}`],
  ]
  const auth =
    config.MQTT_USERNAME === null ? '' : ` -u '${visible(config.MQTT_USERNAME)}' -P "$MQTT_PASSWORD"`
  const event =
    '{"schema":1,"event_id":"test-device-001","device_id":"test-device","event_type":"test","value":42}'
  return `
${pc.bold('qs-telemetry is running.')} An acknowledged event is a committed event.

${rows.map(([name, value]) => `  ${pc.cyan(String(name).padEnd(11))} ${value}`).join('\n')}

Open the console in a browser. Or try it in another terminal:

  npx qs tail
  npx qs publish --device test-device --type temp --value 21.5
  mosquitto_pub -h ${host} -p ${mqttPort}${auth} -q 1 -t qs/v1/test-device/events -m '${event}'

Ctrl-C stops it. The data stays in ${config.DATABASE_URL === null ? config.QS_DATA_DIR : 'the database'}.
`
}
