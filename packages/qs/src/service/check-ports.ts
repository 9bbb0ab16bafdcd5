import { createServer } from 'node:net'
import { findCertificateFiles } from '../certificates/certificate-files.ts'
import type { Config, SettingName } from '../config/settings.ts'
import { QsError } from '../errors/qs-error.ts'

/** @throws QsError if a port that the service needs is in use, so that it could not start */
export async function checkPorts(config: Config): Promise<void> {
  const names: readonly SettingName[] = [
    ...(['MQTT_PORT', 'MQTT_WS_PORT', 'HTTP_PORT'] as const),
    ...(config.DATABASE_URL === null ? (['POSTGRES_PORT'] as const) : []),
    ...(findCertificateFiles(config) === null ? [] : (['MQTT_TLS_PORT', 'MQTT_WSS_PORT'] as const)),
  ]
  for (const name of names) await checkPort(name, config[name] as number)
}

function checkPort(name: SettingName, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', (cause: NodeJS.ErrnoException) =>
      reject(
        new QsError('PORT_IN_USE', `Port ${port} on 127.0.0.1 cannot be used (${name}): ${cause.message}`, {
          cause,
        }),
      ),
    )
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve()))
  })
}
