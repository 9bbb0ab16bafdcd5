import type { ChannelSettings } from '../channel-kinds.ts'
import type { Digest } from '../digest.ts'
import { post } from './http.ts'

/** ntfy turns longer messages into attachments (docs.ntfy.sh, limitations). */
const MAX_BYTES = 3_500
const TAGS = {
  firing: 'rotating_light',
  reminder: 'hourglass',
  ended: 'white_check_mark',
  test: 'test_tube',
} as const

/** As JSON, since headers hold no Unicode (docs.ntfy.sh, publish as JSON). */
export async function sendNtfy(
  settings: ChannelSettings,
  digest: Digest,
  signal: AbortSignal,
): Promise<void> {
  const { server = 'https://ntfy.sh', topic, token } = settings
  const { title, text, change, urgent } = digest
  await post({
    url: new URL('/', server).href,
    body: JSON.stringify({
      ...{ topic, title, message: Buffer.from(text).subarray(0, MAX_BYTES).toString() },
      priority: urgent ? 5 : change === 'firing' ? 4 : 3,
      tags: [TAGS[change]],
    }),
    headers: {
      'content-type': 'application/json',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    signal,
  })
}
