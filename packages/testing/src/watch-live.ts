import { get, type IncomingMessage } from 'node:http'
import type { TestContext } from 'node:test'
import type { LiveBatch } from '@qs-telemetry/protocol/api'

/** Reads /api/live; `batches` grows while it is not paused. */
export async function watch(t: TestContext, url: string, headers: Readonly<Record<string, string>> = {}) {
  const response = await new Promise<IncomingMessage>((resolve, reject) =>
    get(url, { headers }, resolve).on('error', reject),
  )
  t.after(() => response.destroy())
  const batches: LiveBatch[] = []
  let text = ''
  response.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
    const parts = text.split('\n\n')
    text = parts.pop() ?? ''
    for (const part of parts)
      if (part.startsWith('data: ')) batches.push(JSON.parse(part.slice(6)) as LiveBatch)
  })
  return { response, batches, messages: () => batches.flatMap(({ messages }) => messages) }
}
