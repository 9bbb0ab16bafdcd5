import { createTransport } from 'nodemailer'
import { QsError } from '../../errors/qs-error.ts'
import { reasonOf } from '../../errors/reason-of.ts'
import type { ChannelSettings } from '../channel-kinds.ts'
import type { Digest } from '../digest.ts'

const TIMEOUT_MS = 10_000

export async function sendMail(
  settings: ChannelSettings,
  { title, text }: Digest,
  signal: AbortSignal,
): Promise<void> {
  const { server = '', user, password = '', from = '', to = '' } = settings
  const { protocol, hostname, port } = new URL(server)
  const isTls = protocol === 'smtps:'
  const transport = createTransport({
    ...{ host: hostname, port: Number(port) || (isTls ? 465 : 587), secure: isTls },
    ...(user !== undefined && { auth: { user, pass: password } }),
    ...{ connectionTimeout: TIMEOUT_MS, greetingTimeout: TIMEOUT_MS, socketTimeout: TIMEOUT_MS },
    ...{ disableFileAccess: true, disableUrlAccess: true },
  })
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(new QsError('CHANNEL_FAILED', 'No answer in time')), {
      once: true,
    })
  })
  try {
    await Promise.race([transport.sendMail({ from, to, subject: title, text }), aborted])
  } catch (error) {
    throw error instanceof QsError ? error : new QsError('CHANNEL_FAILED', reasonOf(error))
  } finally {
    transport.close()
  }
}
