import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'

/** These measures need Linux; on other systems the report lacks them. */
export const hasProc = existsSync('/proc/self/stat')

const ticksPerSecond = Number(spawnSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }).stdout) || 100

interface Stat {
  readonly pid: number
  readonly parentPid: number
  /** CPU time of the process, plus that of its ended children. */
  readonly cpuSeconds: number
}

/** CPU time of a process and all its descendants, ended ones included, so that it never runs backwards. */
export function treeCpuSeconds(rootPid: number): number | null {
  if (!hasProc) return null
  const stats = readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? (readStat(name) ?? []) : []))
  const members = new Set([rootPid])
  // Parents may have larger pids than their children, so repeat until nothing is added.
  for (let size = 0; size < members.size; ) {
    size = members.size
    for (const { pid, parentPid } of stats) if (members.has(parentPid)) members.add(pid)
  }
  return stats.filter(({ pid }) => members.has(pid)).reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0)
}

/** CPU time used on the whole machine, including stolen time. */
export function machineCpuSeconds(): number | null {
  if (!hasProc) return null
  // The first line of /proc/stat, see proc(5): user nice system idle iowait irq softirq steal …
  const [user, nice, system, , , irq, softirq, steal] = readFileSync('/proc/stat', 'latin1')
    .split('\n', 1)
    .join()
    .split(/\s+/)
    .slice(1)
    .map(Number)
  const ticks = [user, nice, system, irq, softirq, steal].reduce<number>((sum, each) => sum + (each ?? 0), 0)
  return ticks / ticksPerSecond
}

/** Peak resident memory of the process, in MB of 10^6 bytes. */
export function peakMemoryMb(pid: number): number | null {
  if (!hasProc) return null
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return (Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]) * 1024) / 1e6
}

/** /proc/[pid]/stat, see proc(5): fields 4 (ppid) and 14 to 17 (utime, stime, cutime, cstime). */
function readStat(name: string): Stat | null {
  try {
    const text = readFileSync(`/proc/${name}/stat`, 'latin1')
    // The second field is the name in brackets, which may itself contain blanks and brackets.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0)
    return { pid: Number(name), parentPid: Number(fields[1]), cpuSeconds: ticks / ticksPerSecond }
  } catch {
    return null // It ended meanwhile.
  }
}
