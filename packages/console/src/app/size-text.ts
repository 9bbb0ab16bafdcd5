const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const

/** 41.3 MiB */
export function sizeText(bytes: number): string {
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10))
  const size = bytes / 1024 ** power
  return `${power > 0 && size < 100 ? size.toFixed(1) : Math.round(size)} ${UNITS[power]}`
}
