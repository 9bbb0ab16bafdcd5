/**
 * Publishes to MQTT. What is published before a delivery is settled reaches the broker before its PUBACK: both leave in
 * order on one connection. So once the broker has the PUBACK it also has the device ack, and if the connection breaks
 * in between, the message is redelivered and answered again.
 */
export interface Publisher {
  /** The broker closes the connection on a larger payload, and would then redeliver the message. */
  readonly maxPayloadBytes: number
  publish(topic: string, payload: string, qos: 0 | 1): void
}
