import { QsError } from '../../errors/qs-error.ts'
import { reasonOf } from '../../errors/reason-of.ts'

const MAX_ANSWER = 200

export interface Request {
  readonly url: string
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
  readonly signal: AbortSignal
}

/** @throws QsError with status and the beginning of the answer. The URL may be a secret, so it is not in it. */
export async function post({ url, body, headers, signal }: Request): Promise<void> {
  let response: Response
  try {
    response = await fetch(url, { method: 'POST', body, headers, signal, redirect: 'error' })
  } catch (error) {
    if (signal.aborted) throw new QsError('CHANNEL_FAILED', 'No answer in time')
    throw new QsError('CHANNEL_FAILED', reasonOf((error as Error).cause ?? error))
  }
  if (response.ok) return void (await response.body?.cancel())
  const answer = (await response.text().catch(() => '')).slice(0, MAX_ANSWER)
  throw new QsError('CHANNEL_FAILED', `HTTP ${response.status}${answer === '' ? '' : `: ${answer}`}`)
}
