/** The numbers of advisory locks, arbitrary and the same in all ingesters. In one place, because two equal ones stop a job for good. */
export const ADVISORY_LOCKS = {
  migration: 7_141_120_231,
  hours: 7_141_120_232,
  /** Held by the ingester that makes the backups, as long as it runs. */
  backupSchedule: 7_141_120_234,
  /** Likewise by the one that evaluates the alerts. */
  alerts: 7_141_120_235,
  /** Held while one rule is evaluated. */
  alertRules: 7_141_120_236,
} as const
