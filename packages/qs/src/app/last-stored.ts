type Ask = (text: string, values: readonly unknown[]) => Promise<readonly Record<string, unknown>[]>

const LAST = 'select max(minute) as minute from ingest_stats where starts_with(writer, $1)'

/** When an ingester with this client id last stored something; null: never. */
export async function lastStored(ask: Ask, clientId: string): Promise<Date | null> {
  const [row] = await ask(LAST, [`${clientId}/`])
  return (row?.minute as Date | null | undefined) ?? null
}

const LATELY = `select 1 from ingest_stats where minute >= date_trunc('minute', now()) - interval '1 minute' limit 1`

/** Whether any ingester has stored something within this minute or the last one. */
export async function hasStoredLately(ask: Ask): Promise<boolean> {
  return (await ask(LATELY, [])).length > 0
}
