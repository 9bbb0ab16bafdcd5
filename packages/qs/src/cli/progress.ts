import { Presets, SingleBar } from 'cli-progress'

export interface Progress {
  update(done: number, total: number): void
  stop(): void
}

const SILENT: Progress = { update: () => {}, stop: () => {} }

/** A progress bar on standard error if that is a terminal; otherwise silent, to keep it out of logs. */
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
