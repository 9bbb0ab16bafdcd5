/** The little SVG that the charts need. */
export type Attributes = Readonly<Record<string, string | number>>

export function element(name: string, attributes: Attributes, content = ''): string {
  const pairs = Object.entries(attributes).map(([key, value]) => ` ${key}="${escapeXml(String(value))}"`)
  return content === '' ? `<${name}${pairs.join('')}/>` : `<${name}${pairs.join('')}>${content}</${name}>`
}

export function text(x: number, y: number, words: string, attributes: Attributes = {}): string {
  return element('text', { x, y, ...attributes }, escapeXml(words))
}

export interface Sheet {
  readonly title: string
  readonly caption: readonly string[]
  readonly width: number
  /** Height of the drawing without title and caption. */
  readonly height: number
  readonly body: string
}

const FONT = 'system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif'
export const INK = '#1f2937'
export const FAINT = '#6b7280'
const TITLE_HEIGHT = 44
const LINE_HEIGHT = 16

/** Has its own light background, so it is readable on light and dark pages. */
export function sheet({ title, caption, width, height, body }: Sheet): string {
  const all = TITLE_HEIGHT + height + caption.length * LINE_HEIGHT + 18
  const lines = caption.map((line, place) =>
    text(20, TITLE_HEIGHT + height + 14 + place * LINE_HEIGHT, line, { 'font-size': 11, fill: FAINT }),
  )
  const ground = element('rect', { width, height: all, rx: 8, fill: '#f9fafb', stroke: '#d1d5db' })
  const parts = [
    ground,
    text(20, 28, title, { 'font-size': 16, 'font-weight': 600, fill: INK }),
    element('g', { transform: `translate(0 ${TITLE_HEIGHT})` }, body),
    ...lines,
  ]
  const root = { xmlns: 'http://www.w3.org/2000/svg', viewBox: `0 0 ${width} ${all}`, width, height: all }
  return `${element('svg', { ...root, 'font-family': FONT, role: 'img', 'aria-label': title }, parts.join('\n'))}\n`
}

function escapeXml(words: string): string {
  return words.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`)
}
