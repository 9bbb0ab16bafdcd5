import { readdirSync, readFileSync } from 'node:fs'
import { parse } from 'yaml'

const ROOT = new URL('../../', import.meta.url)

export interface Target {
  readonly refId: string
  readonly format: 'table' | 'time_series'
  readonly rawSql: string
  readonly datasource: { readonly uid: string }
}

export interface Panel {
  readonly id: number
  readonly type: string
  readonly title?: string
  readonly description?: string
  /** Its own time range, such as `30d`. */
  readonly timeFrom?: string
  readonly maxDataPoints?: number
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly targets?: readonly Target[]
  readonly fieldConfig?: { readonly defaults: { readonly noValue?: string } }
}

export interface Variable {
  readonly name: string
  readonly type: string
  readonly query: string
  readonly multi?: boolean
}

export interface Dashboard {
  readonly uid: string
  readonly title: string
  readonly panels: readonly Panel[]
  readonly links: readonly { readonly type: string; readonly placement?: string }[]
  readonly templating: { readonly list: readonly Variable[] }
  readonly annotations: { readonly list: readonly { readonly name: string; readonly target: Target }[] }
}

export interface AlertRule {
  readonly uid: string
  readonly title: string
  readonly condition: string
  readonly dashboardUid: string
  readonly panelId: number
  readonly for: string
  readonly execErrState: string
  readonly data: readonly {
    readonly refId: string
    readonly datasourceUid: string
    readonly model: AlertModel
  }[]
  readonly annotations: Readonly<Record<string, string>>
}

interface AlertModel {
  readonly type?: string
  readonly expression?: string
  readonly reducer?: string
  readonly rawSql?: string
  readonly format?: string
  readonly conditions?: readonly {
    readonly evaluator: { readonly type: string; readonly params: readonly number[] }
  }[]
}

/** A file in deploy/grafana, as it is mounted. */
export function readDeployed(path: string): string {
  return readFileSync(new URL(path, ROOT), 'utf8')
}

/** The dashboards as Grafana reads them. */
export function readDashboards(): readonly Dashboard[] {
  return readdirSync(new URL('dashboards/', ROOT)).map(
    (name) => JSON.parse(readDeployed(`dashboards/${name}`)) as Dashboard,
  )
}

/** The alert rules as Grafana reads them. */
export function readAlertRules(path = 'provisioning/alerting/qs.yaml'): readonly AlertRule[] {
  const { groups } = parse(readDeployed(path)) as {
    readonly groups: readonly { readonly rules: readonly AlertRule[] }[]
  }
  return groups.flatMap(({ rules }) => rules)
}

export interface Query {
  /** Where it is: dashboard, panel, and its letter if it is not the first. */
  readonly name: string
  readonly format: 'table' | 'time_series'
  readonly sql: string
  readonly kind: 'panel' | 'variable' | 'annotation'
  /** If the panel has its own time range. */
  readonly days?: number
  /** If the panel asks for fewer points than it has pixels. */
  readonly maxPoints?: number
}

/** Every query of a dashboard: of its panels, drop-downs and annotations. */
export function queriesOf({ title, panels, templating, annotations }: Dashboard): readonly Query[] {
  const ofTarget =
    (name: string, kind: Query['kind']) =>
    ({ refId, format, rawSql: sql }: Target): Query => ({
      name: `${title}: ${name}${refId === 'A' ? '' : ` (${refId})`}`,
      format,
      sql,
      kind,
    })
  return [
    ...panels.flatMap(({ title: panel, targets, timeFrom, maxDataPoints: maxPoints }) =>
      (targets ?? []).map(ofTarget(panel ?? '', 'panel')).map((query) => ({
        ...query,
        ...(timeFrom !== undefined && { days: Number.parseInt(timeFrom, 10) }),
        ...(maxPoints !== undefined && { maxPoints }),
      })),
    ),
    ...annotations.list.map(({ name, target }) => ofTarget(`annotation ${name}`, 'annotation')(target)),
    ...templating.list
      .filter(({ type }) => type === 'query')
      .map(
        ({ name, query }): Query => ({
          name: `${title}: variable ${name}`,
          format: 'table',
          sql: query,
          kind: 'variable',
        }),
      ),
  ]
}
