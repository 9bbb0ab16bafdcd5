import { route } from '../app/route.svelte.ts'

const PRESETS = {
  '15m': 900,
  '1h': 3_600,
  '6h': 21_600,
  '24h': 86_400,
  '7d': 604_800,
  '30d': 2_592_000,
  '1y': 31_536_000,
} as const

export type Preset = keyof typeof PRESETS
export const PRESET_NAMES = Object.keys(PRESETS) as readonly Preset[]

const isPreset = (text: string | null): text is Preset => text !== null && text in PRESETS

/**
 * The time range of a page, kept in its address: `range=6h` follows the clock, `from` and `to` are fixed.
 */
export class Range {
  readonly #fallback: Preset
  /** Advances while the range is live. */
  #nowMs = $state(Date.now())

  constructor(fallback: Preset, everyMs: number) {
    this.#fallback = fallback
    $effect(() => {
      if (!this.isLive) return
      const timer = setInterval(() => {
        if (document.visibilityState === 'visible') this.#nowMs = Date.now()
      }, everyMs)
      return () => clearInterval(timer)
    })
  }

  get #fixed(): { readonly fromMs: number; readonly toMs: number } | null {
    const { query } = route
    const [fromMs, toMs] = [Date.parse(query.get('from') ?? ''), Date.parse(query.get('to') ?? '')]
    return fromMs < toMs ? { fromMs, toMs } : null
  }

  get isLive(): boolean {
    return this.#fixed === null
  }

  get preset(): Preset | null {
    if (!this.isLive) return null
    const text = route.query.get('range')
    return isPreset(text) ? text : this.#fallback
  }

  get toMs(): number {
    return this.#fixed?.toMs ?? this.#nowMs
  }

  get fromMs(): number {
    return this.#fixed?.fromMs ?? this.#nowMs - PRESETS[this.preset ?? this.#fallback] * 1000
  }

  choose(preset: Preset): void {
    this.#nowMs = Date.now()
    route.setQuery(
      { range: preset === this.#fallback ? null : preset, from: null, to: null },
      { isStep: true },
    )
  }

  show(fromMs: number, toMs: number): void {
    const [from, to] = [new Date(fromMs).toISOString(), new Date(toMs).toISOString()]
    route.setQuery({ from, to, range: null }, { isStep: true })
  }

  /** Callbacks for zooming and panning in a chart. */
  get moves() {
    return {
      onzoom: (fromMs: number, toMs: number) => this.show(fromMs, toMs),
      onpan: (share: number) => this.pan(share),
      onscale: (factor: number) => this.zoom(factor),
      onreset: () => this.choose(this.#fallback),
    }
  }

  /** Query parameters for the API. */
  get query(): { readonly from: string; readonly to: string } {
    return { from: new Date(this.fromMs).toISOString(), to: new Date(this.toMs).toISOString() }
  }

  /** The range of the data that is drawn, also while the next answer is pending. */
  shownOf(answer: { readonly from: string; readonly to: string } | null) {
    return {
      fromMs: answer === null ? this.fromMs : Date.parse(answer.from),
      toMs: answer === null ? this.toMs : Date.parse(answer.to),
    }
  }

  /** Moves by a share of the range; positive is later. */
  pan(share: number): void {
    const by = (this.toMs - this.fromMs) * share
    this.show(this.fromMs + by, this.toMs + by)
  }

  /** A factor above 1 zooms in. */
  zoom(factor: number): void {
    const middle = (this.fromMs + this.toMs) / 2
    const half = (this.toMs - this.fromMs) / 2 / factor
    this.show(middle - half, middle + half)
  }
}
