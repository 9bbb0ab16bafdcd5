const UNITS = ['bytes', 'KB', 'MB', 'GB', 'TB'] as const

/** 41.3 MB. Decimal units, as disks are sold. */
export function sizeText(bytes: number): string {
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3))
  const size = bytes / 1000 ** power
  return `${power > 0 && size < 100 ? size.toFixed(1) : Math.round(size)} ${UNITS[power]}`
}
