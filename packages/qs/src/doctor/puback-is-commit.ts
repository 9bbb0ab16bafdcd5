import type { IConnackPacket } from 'mqtt'
import { PUBACK_IS_COMMIT } from '../mqtt/properties.ts'

/** Whether the broker says that a PUBACK of an event means committed, as that of qs up does to MQTT 5 clients. */
export function pubackIsCommit({ properties }: IConnackPacket): boolean {
  return properties?.userProperties?.[PUBACK_IS_COMMIT.name] === PUBACK_IS_COMMIT.value
}
