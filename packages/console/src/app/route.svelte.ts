import { deviceSegment } from '@qs-telemetry/protocol/device-segment'

/** The current path and query, as in the address bar. */
class Route {
  path = $state(location.pathname)
  search = $state(location.search)

  constructor() {
    addEventListener('popstate', () => this.#read())
    // A link within the console changes the page without a reload.
    addEventListener('click', (event) => {
      const link = (event.target as Element).closest?.('a')
      const isPlain =
        event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey
      if (!link || !isPlain || event.defaultPrevented || link.target !== '' || link.hasAttribute('download'))
        return
      if (link.origin !== location.origin || link.pathname.startsWith('/api/')) return
      if (link.hash !== '' && link.pathname === location.pathname) return
      event.preventDefault()
      this.go(link.pathname + link.search)
    })
  }

  get query(): URLSearchParams {
    return new URLSearchParams(this.search)
  }

  /** The parts of the path: /devices/kitchen is ['devices', 'kitchen']. */
  get parts(): readonly string[] {
    return this.path.split('/').filter(Boolean).map(decoded)
  }

  go(url: string): void {
    if (url !== location.pathname + location.search) history.pushState(null, '', url)
    this.#read()
    scrollTo(0, 0)
    // Screen readers announce the new page, and keyboard focus starts in it.
    queueMicrotask(() => document.getElementById('main')?.focus({ preventScroll: true }))
  }

  /** Changes the query of this page. `isStep` adds a history entry: for a zoom, not for a keystroke in a filter. */
  setQuery(
    changes: Readonly<Record<string, string | readonly string[] | null>>,
    { isStep = false } = {},
  ): void {
    const query = this.query
    for (const [name, value] of Object.entries(changes)) {
      query.delete(name)
      for (const each of typeof value === 'string' ? [value] : (value ?? []))
        if (each !== '') query.append(name, each)
    }
    const text = query.toString()
    const url = text === '' ? location.pathname : `${location.pathname}?${text}`
    if (isStep) history.pushState(null, '', url)
    else history.replaceState(null, '', url)
    this.#read()
  }

  #read(): void {
    this.path = location.pathname
    this.search = location.search
  }
}

/** A segment that cannot be decoded stays as it is; its page reports that nothing was found. */
function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

export const route = new Route()

export function deviceUrl(deviceId: string): string {
  return `/devices/${deviceSegment(deviceId)}`
}
