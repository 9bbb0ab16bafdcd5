/**
 * The way out to MQTT. What is published before a delivery is settled reaches the broker before its PUBACK:
 * they leave in order on one connection. So once the broker has the PUBACK it has the device ack too, and where
 * the connection breaks in between, the message comes again and is answered again.
 */
export interface Publisher {
  /** More than that the broker does not take: it would end the connection, and the message would come again. */
  readonly maxPayloadBytes: number
  publish(topic: string, payload: string, qos: 0 | 1): void
}
