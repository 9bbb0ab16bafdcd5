/** Builds a packet, valid or not, from its first byte and the bytes after its length [MQTT-2.2.3]. */
export function framed(firstByte: number, rest: Buffer): Buffer {
  const length: number[] = []
  for (let left = rest.length; ; left = Math.floor(left / 128)) {
    length.push(left >= 128 ? (left % 128) + 128 : left)
    if (left < 128) return Buffer.concat([Buffer.from([firstByte, ...length]), rest])
  }
}
