import type { ChannelSettings } from '../channel-kinds.ts'
import type { Digest } from '../digest.ts'
import { post } from './http.ts'

/** Characters in a message (core.telegram.org/bots/api, sendMessage: 4096). */
const MAX_CHARACTERS = 4_000

export async function sendTelegram(
  settings: ChannelSettings,
  digest: Digest,
  signal: AbortSignal,
): Promise<void> {
  const { server = 'https://api.telegram.org', token = '', chat } = settings
  await post({
    url: new URL(`/bot${token}/sendMessage`, server).href,
    body: JSON.stringify({ chat_id: chat, text: `${digest.title}\n${digest.text}`.slice(0, MAX_CHARACTERS) }),
    headers: { 'content-type': 'application/json' },
    signal,
  })
}
