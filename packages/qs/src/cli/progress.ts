import { Presets, SingleBar } from 'cli-progress'

export interface Progress {
  /** How much is known to be done, and of how much. */
  update(done: number, total: number): void
  stop(): void
}

const SILENT: Progress = { update: () => {}, stop: () => {} }

/** A bar on standard error where that is a terminal; silent elsewhere, since a log is no place for one. */
export function progress(what: string): Progress {
  if (!process.stderr.isTTY) return SILENT
  const format = `${what} {bar} {percentage}% {value}/{total} in {duration_formatted}`
  const bar = new SingleBar(
    { format, stream: process.stderr, hideCursor: true, etaBuffer: 100 },
    Presets.shades_classic,
  )
  let isStarted = false
  return {
    update: (done, total) => {
      if (!isStarted) bar.start(total, done)
      isStarted = true
      bar.setTotal(total)
      bar.update(done)
    },
    stop: () => {
      if (isStarted) bar.stop()
    },
  }
}
