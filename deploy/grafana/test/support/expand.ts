/** Parameters of a dashboard: a time range, the width of a point, and the values of its drop-downs. */
export interface Choice {
  readonly from: Date
  readonly to: Date
  readonly intervalMs: number
  readonly variables: Readonly<Record<string, string | readonly string[]>>
}

/** As the browser writes them. `sqlstring` puts a backslash before `"`, which PostgreSQL takes as part of the text. */
const FORMATS: Readonly<Record<string, (value: string | readonly string[]) => string>> = {
  percentencode: (value) => strictlyEncoded(typeof value === 'string' ? value : `{${value.join(',')}}`),
  sqlstring: (value) =>
    [value]
      .flat()
      .map((each) => `'${each.replaceAll("'", "''").replaceAll('"', '\\"')}'`)
      .join(','),
}

function strictlyEncoded(text: string): string {
  const hex = (character: string) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, hex)
}

/**
 * Does to a query what Grafana 12 does before PostgreSQL sees it, in its order: the browser inserts the variables, and
 * then the server expands whatever looks like a macro, even inside values. library/library.test.ts compares the formats
 * with those of Grafana's own library. Source of the macros: "PostgreSQL query editor" of the manual.
 *
 * @throws if the server would refuse the macro, and if a `$` is left that nothing replaces
 */
export function expand(sql: string, { from, to, intervalMs, variables }: Choice): string {
  const time = (date: Date) => `'${date.toISOString().replace(/\.\d+Z$/, 'Z')}'`
  const macros: Readonly<Record<string, (argument: string) => string>> = {
    __timeFilter: (column) => `${column} BETWEEN ${time(from)} AND ${time(to)}`,
    __timeFrom: () => time(from),
    __timeTo: () => time(to),
  }
  const inBrowser = sql.replaceAll(/\$\{(\w+):(\w+)\}/g, (whole, name: string, format: string) => {
    const value = variables[name]
    const write = FORMATS[format]
    if (value === undefined || write === undefined) throw new Error(`unknown variable ${whole}`)
    return write(value)
  })
  const onServer = inBrowser
    .replaceAll('$__interval_ms', String(intervalMs))
    .replaceAll(/\$(\w+)\(([^)]*)\)/g, (whole, name: string, argument: string) => {
      const macro = macros[name]
      if (macro === undefined) throw new Error(`unknown macro ${whole}`)
      return macro(argument.trim())
    })
  if (onServer.includes('$')) throw new Error(`something is not expanded in: ${onServer}`)
  return onServer
}
