import type { ChannelKind, ChannelSettings } from '../channel-kinds.ts'
import type { Digest } from '../digest.ts'
import { sendNtfy } from './ntfy.ts'
import { sendTelegram } from './telegram.ts'
import { sendWebhook } from './webhook.ts'

export type Send = (settings: ChannelSettings, digest: Digest, signal: AbortSignal) => Promise<void>

export const SENDERS: Readonly<Record<ChannelKind, Send>> = {
  webhook: sendWebhook,
  ntfy: sendNtfy,
  telegram: sendTelegram,
}
