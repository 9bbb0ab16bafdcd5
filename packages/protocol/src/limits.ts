/** Limits of a message. Bytes are bytes of UTF-8. */
export interface Limits {
  /** Payload of one PUBLISH. */
  readonly messageBytes: number
  /** Elements of one array. */
  readonly arrayEvents: number
  /** event_id, device_id and event_type, each. */
  readonly idBytes: number
  readonly unitBytes: number
  /** ts_device as a string, or as JSON if it is not a string. */
  readonly tsDeviceBytes: number
  /** A value that is a string. */
  readonly valueTextBytes: number
  /** meta as compact JSON, unknown fields under `_extra` included. */
  readonly metaBytes: number
  /** Levels of nesting in meta; `{"a":1}` is one level. */
  readonly metaDepth: number
}

export const DEFAULT_LIMITS: Limits = {
  messageBytes: 256 * 1024,
  arrayEvents: 1000,
  idBytes: 128,
  unitBytes: 32,
  tsDeviceBytes: 64,
  valueTextBytes: 16 * 1024,
  metaBytes: 32 * 1024,
  metaDepth: 32,
}
