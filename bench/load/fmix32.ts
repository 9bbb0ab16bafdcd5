/**
 * Shuffles 32 bits: neighbours end up far apart, and results never collide. The finalizer of MurmurHash3 (Austin
 * Appleby, public domain).
 */
export function fmix32(value: number): number {
  let bits = value >>> 0
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return (bits ^ (bits >>> 16)) >>> 0
}
