import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, readlinkSync } from 'node:fs'

/**
 * A pid is not unique: after a reboot, or 32,768 processes later, it belongs to another process. Pid and start time
 * together identify a process. Linux has /proc; elsewhere (macOS) `ps` gives the start time in seconds.
 */
const hasProc = existsSync('/proc/self/stat')

/** Start time of the process as text for comparison; null if it does not exist or is a zombie. */
export function processIdentity(pid: number): string | null {
  if (!hasProc) return ps('lstart=', pid)
  const stat = read(`/proc/${pid}/stat`)
  // The name in parentheses may contain anything, so fields are counted after it: state, …, the 22nd is starttime.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [state, startTicks] = [fields?.[0], fields?.[19]]
  if (state === undefined || startTicks === undefined || state === 'Z' || state === 'X') return null
  return `${read('/proc/sys/kernel/random/boot_id')?.trim() ?? ''}/${startTicks}`
}

/** Program and arguments, separated by spaces; null if there is no such process. */
export function commandLine(pid: number): string | null {
  if (!hasProc) return ps('command=', pid)
  const line = read(`/proc/${pid}/cmdline`)?.replaceAll('\0', ' ').trim()
  return line === undefined || line === '' ? null : line
}

/** Null if there is no such process, or the system does not provide it. */
export function workingDirectory(pid: number): string | null {
  try {
    return readlinkSync(`/proc/${pid}/cwd`)
  } catch {
    return null
  }
}

function ps(column: string, pid: number): string | null {
  const { stdout } = spawnSync('ps', ['-ww', '-o', column, '-p', String(pid)], { encoding: 'utf8' })
  return stdout?.trim() || null
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}
