import {
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  type DashboardLink,
  DashboardLinkBuilder,
  DashboardLinkType,
  type Panel,
  type RowPanel,
  type VariableModel,
} from '@grafana/grafana-foundation-sdk/dashboard'

/**
 * Grafana 12.0 writes 41 and later versions read it. The SDK would write its own newest, which an older Grafana of the
 * same major version may not know.
 */
const SCHEMA_VERSION = 41
const TAG = 'qs'

/** Common to all dashboards: the last day, a refresh every minute, and a row of links to each other. */
export function startDashboard(title: string, uid: string, about: string): DashboardBuilder {
  return new DashboardBuilder(title)
    .uid(uid)
    .description(about)
    .tags([TAG])
    .time({ from: 'now-24h', to: 'now' })
    .timezone('browser')
    .refresh('1m')
    .tooltip(DashboardCursorSync.Crosshair)
    .link(
      new DashboardLinkBuilder('qs')
        .type(DashboardLinkType.Dashboards)
        .tags([TAG])
        .asDropdown(false)
        .keepTime(true),
    )
}

/** Numbers the panels, in order, so that links and alert rules can name one. */
export function finishDashboard(builder: DashboardBuilder): Dashboard {
  const built = builder.build()
  const panels = (built.panels ?? []).map((panel: Panel | RowPanel, index) => ({ ...panel, id: index + 1 }))
  return {
    ...built,
    schemaVersion: SCHEMA_VERSION,
    panels,
    links: (built.links ?? []).map(withoutPlacement),
    templating: { list: (built.templating.list ?? []).map(withoutAuto) },
    annotations: { list: built.annotations.list ?? [] },
  }
}

/** The SDK hides every link in a menu behind a button. Without a placement it is shown at the top. */
function withoutPlacement({ placement, ...link }: DashboardLink): DashboardLink {
  return link
}

/** The SDK gives every variable the fields of an interval. */
function withoutAuto(variable: VariableModel): VariableModel {
  if (variable.type === 'interval') return variable
  const { auto, auto_min, auto_count, ...others } = variable
  return others
}
