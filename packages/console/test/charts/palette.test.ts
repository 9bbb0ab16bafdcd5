import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lineStyle } from '../../src/charts/palette.ts'

type Vector = readonly [number, number, number]

/** Linear RGB for normal vision and three kinds of colour blindness (Machado, Oliveira, Fernandes 2009, severity 1). */
const EYES: Readonly<Record<string, readonly [Vector, Vector, Vector]>> = {
  all: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
}

const dot = (a: Vector, b: Vector) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2]

function linear(hex: string): Vector {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(hex.slice(at, at + 2), 16) / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return [r, g, b]
}

function okLab(rgb: Vector): Vector {
  const l = Math.cbrt(dot([0.4122214708, 0.5363325363, 0.0514459929], rgb))
  const m = Math.cbrt(dot([0.2119034982, 0.6806995451, 0.1073969566], rgb))
  const s = Math.cbrt(dot([0.0883024619, 0.2817188376, 0.6299787005], rgb))
  return [
    dot([0.2104542553, 0.793617785, -0.0040720468], [l, m, s]),
    dot([1.9779984951, -2.428592205, 0.4505937099], [l, m, s]),
    dot([0.0259040371, 0.7827717662, -0.808675766], [l, m, s]),
  ]
}

function contrast(a: string, b: string): number {
  const [low = 0, high = 0] = [a, b]
    .map((each) => dot([0.2126, 0.7152, 0.0722], linear(each)))
    .sort((x, y) => x - y)
  return (high + 0.05) / (low + 0.05)
}

for (const [isDark, ground] of [
  [false, '#ffffff'],
  [true, '#161e24'],
] as const) {
  const look = isDark ? 'dark' : 'light'
  const colours = Array.from({ length: 8 }, (_, index) => lineStyle(index, isDark).colour)

  test(`the eight line colours are distinct for all kinds of colour vision, ${look}`, () => {
    for (const [eyes, seen] of Object.entries(EYES)) {
      const labs = colours.map((colour) => {
        const [r, g, b] = seen.map((row) => Math.min(1, Math.max(0, dot(row, linear(colour)))))
        return okLab([r ?? 0, g ?? 0, b ?? 0])
      })
      for (const [n, a] of labs.entries())
        for (const [k, b] of labs.slice(0, n).entries())
          assert.ok(
            Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]) > 0.11,
            `${colours[n]} and ${colours[k]} with ${eyes}`,
          )
    }
  })

  test(`the line colours stand out from the background, ${look}`, () => {
    for (const colour of colours) assert.ok(contrast(colour, ground) >= 3, colour)
  })
}

test('64 lines differ in colour or dashes', () => {
  const styles = Array.from({ length: 64 }, (_, index) => JSON.stringify(lineStyle(index, false)))
  assert.equal(new Set(styles).size, 64)
})
