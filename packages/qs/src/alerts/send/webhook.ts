import type { ChannelSettings } from '../channel-kinds.ts'
import type { Digest } from '../digest.ts'
import { post } from './http.ts'

/** The body of a webhook without a template. */
export function webhookBody({ title, text, change, items }: Digest): string {
  return JSON.stringify({
    ...{ title, text, change },
    alerts: items.map(({ deviceId, eventType, ...item }) => ({
      ...item,
      device_id: deviceId === '' ? null : deviceId,
      event_type: eventType === '' ? null : eventType,
    })),
  })
}

export async function sendWebhook(
  settings: ChannelSettings,
  digest: Digest,
  signal: AbortSignal,
): Promise<void> {
  const { url = '', template, content_type: type = 'application/json', authorization } = settings
  const body = template === undefined ? webhookBody(digest) : filled(template, digest, /json/i.test(type))
  const headers = { 'content-type': type, ...(authorization !== undefined && { authorization }) }
  await post({ url, body, headers, signal })
}

function filled(template: string, digest: Digest, isJson: boolean): string {
  return template.replace(/\{\{\s*(title|text|change)\s*\}\}/g, (_all, name: 'title' | 'text' | 'change') =>
    isJson ? JSON.stringify(digest[name]).slice(1, -1) : digest[name],
  )
}
