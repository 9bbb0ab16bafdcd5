import { type Element, type Event, Message } from '../../src/pipeline/message.ts'

export const eventOf = (eventId: string): Event => ({
  kind: 'event',
  eventId,
  deviceId: 'dev-1',
  eventType: 'temp',
  valueNum: 1,
  valueText: null,
  valueExact: null,
  unit: null,
  ts: '2026-11-23T18:00:00.123456Z',
  tsDevice: null,
  tsDeviceLocal: null,
  tsDeviceRaw: null,
  schema: 1,
  meta: null,
  warning: null,
})

export interface MessageParts {
  readonly shape?: Message['shape']
  readonly payload?: string
  readonly deviceId?: string | null
  readonly settle?: () => void
}

export const messageOf = (
  elements: readonly Element[],
  { shape = 'array', payload = '', deviceId = 'dev-1', settle = () => {} }: MessageParts = {},
): Message =>
  new Message(
    {
      delivery: {
        topic: 'qs/v1/dev-1/events',
        payload: Buffer.from(payload),
        redelivered: false,
        receivedAt: { epochMs: 0, micros: 0 },
        settle,
      },
      deviceId,
      shape,
      elements,
      tsServer: '2026-11-23T18:00:00.123456Z',
    },
    () => elements,
  )
