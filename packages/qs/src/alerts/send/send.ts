import type { ChannelKind } from '../channel-kinds.ts'
import { sendMail } from './mail.ts'
import { type AlertsNow, mqttSender, type OwnBroker } from './mqtt.ts'
import { sendNtfy } from './ntfy.ts'
import type { Send } from './sender.ts'
import { sendTelegram } from './telegram.ts'
import { sendWebhook } from './webhook.ts'

/** One for each kind of channel. */
export function senders(own: OwnBroker, read: () => Promise<AlertsNow>): Readonly<Record<ChannelKind, Send>> {
  return {
    webhook: sendWebhook,
    ntfy: sendNtfy,
    telegram: sendTelegram,
    mail: sendMail,
    mqtt: mqttSender(own, read),
  }
}
