import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog'
import { DATA_SOURCE } from './data-source.ts'

/**
 * `time_series`: a column `time`, sorted, and numbers; a text column `metric` names the series. `table`: anything.
 * Grafana manual, "PostgreSQL query editor".
 */
export type SqlFormat = 'time_series' | 'table'

export interface SqlQuery extends Dataquery {
  readonly refId: string
  readonly datasource: typeof DATA_SOURCE
  readonly format: SqlFormat
  readonly rawSql: string
  readonly rawQuery: true
  readonly editorMode: 'code'
}

/** A query of the PostgreSQL data source as its editor saves it; the SDK has none. */
export class SqlQueryBuilder implements Builder<Dataquery> {
  readonly #query: SqlQuery

  constructor(format: SqlFormat, sql: string, refId = 'A') {
    this.#query = {
      refId,
      datasource: DATA_SOURCE,
      format,
      rawSql: sql.trim(),
      rawQuery: true,
      editorMode: 'code',
      _implementsDataqueryVariant: () => {},
    }
  }

  build(): SqlQuery {
    return this.#query
  }
}
