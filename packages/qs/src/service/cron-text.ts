import { type ServicePlan, startCommand } from './service-plan.ts'

/**
 * A line of crontab. Every minute, so that it also starts again what has ended; while it runs, flock ends at once. With
 * --close only flock holds the lock, and not a PostgreSQL that outlives a killed qs.
 */
export function cronText(plan: ServicePlan): string {
  const run = startCommand(plan).map(quote).join(' ')
  return `* * * * * cd ${quote(plan.folder)} && umask 077 && flock --nonblock --close .service.lock ${run} >> qs.log 2>&1\n`
}

/** For the shell; cron takes an unescaped % as a line break. */
function quote(text: string): string {
  const escaped = text.replaceAll('%', '\\%')
  return /^[\w./@:=,+-]+$/.test(text) ? text : `'${escaped.replaceAll("'", "'\\''")}'`
}
