import { encode } from 'uqr'
import type { DeviceLogin } from './device-login.ts'
import { qrPayload } from './device-snippets.ts'

interface QrPath {
  /** Width and height, with the border of four modules that readers need. */
  readonly size: number
  /** Dark modules, as the `d` of an SVG path. */
  readonly path: string
}

/** The QR code of a login, to draw and to print. */
export function qrPath(login: DeviceLogin): QrPath {
  const { size, data } = encode(qrPayload(login), { border: 4 })
  const path = data.flatMap((row, y) =>
    [
      ...row
        .map((isDark) => (isDark ? '1' : '0'))
        .join('')
        .matchAll(/1+/g),
    ].map(({ index, 0: run }) => `M${index} ${y}h${run.length}v1h-${run.length}z`),
  )
  return { size, path: path.join('') }
}
