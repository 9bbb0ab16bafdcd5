/** What a dashboard is asked for: a time range, the width of a point, and what is chosen in its drop-downs. */
export interface Choice {
  readonly from: Date
  readonly to: Date
  readonly intervalMs: number
  readonly variables: Readonly<Record<string, string | readonly string[]>>
}

/**
 * Does to a query what Grafana 12 does before PostgreSQL sees it, as far as our queries use it. Sources: "PostgreSQL
 * query editor" (macros: the PostgreSQL data source writes times as quoted RFC 3339 in UTC) and "Variable syntax"
 * (`sqlstring`: each value in single quotes, quotes in it doubled, several with commas) of the Grafana manual.
 *
 * @throws where a `$` is left over: a macro or variable that this does not know is one that nobody checked
 */
export function expand(sql: string, { from, to, intervalMs, variables }: Choice): string {
  const time = (date: Date) => `'${date.toISOString().replace(/\.\d+Z$/, 'Z')}'`
  const macros: Readonly<Record<string, (argument: string) => string>> = {
    timeFilter: (column) => `${column} BETWEEN ${time(from)} AND ${time(to)}`,
    timeFrom: () => time(from),
    timeTo: () => time(to),
  }
  // Values may hold a `$` of their own, so they go in last and the check looks at the text without them.
  const values: string[] = []
  const expanded = sql
    .replaceAll('$__interval_ms', String(intervalMs))
    .replaceAll(/\$__(\w+)\(([^()]*)\)/g, (whole, name: string, argument: string) => {
      const macro = macros[name]
      if (macro === undefined) throw new Error(`unknown macro ${whole}`)
      return macro(argument.trim())
    })
    .replaceAll(/\$\{(\w+):sqlstring\}/g, (whole, name: string) => {
      const value = variables[name]
      if (value === undefined) throw new Error(`unknown variable ${whole}`)
      values.push(
        [value]
          .flat()
          .map((each) => `'${each.replaceAll("'", "''")}'`)
          .join(','),
      )
      return `\0${values.length - 1}\0`
    })
  if (expanded.includes('$')) throw new Error(`something is not expanded in: ${expanded}`)
  return expanded.replaceAll(/\0(\d+)\0/g, (_, index: string) => values[Number(index)] ?? '')
}
