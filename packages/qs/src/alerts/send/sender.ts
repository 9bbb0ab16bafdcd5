import type { ChannelSettings } from '../channel-kinds.ts'
import type { Digest } from '../digest.ts'

/** Tells a channel. @throws QsError with the reason; without secrets, as far as it knows them */
export type Send = (settings: ChannelSettings, digest: Digest, signal: AbortSignal) => Promise<void>
