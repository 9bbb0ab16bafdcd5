import assert from 'node:assert/strict'
import { test } from 'node:test'
import { queriesOf, readAlertRules, readDashboards, readDeployed } from './support/queries.ts'

const COLUMNS = 24

for (const dashboard of readDashboards()) {
  const { title, panels } = dashboard

  test(`${title}: panels neither overlap nor leave holes`, () => {
    const cells = new Map<string, string>()
    for (const { title: panel, id, gridPos } of panels) {
      assert.ok(gridPos.x >= 0 && gridPos.x + gridPos.w <= COLUMNS, `${panel} is within the grid`)
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          const cell = `${x},${y}`
          assert.equal(cells.get(cell), undefined, `${panel} lies on ${cells.get(cell)}`)
          cells.set(cell, panel ?? `panel ${id}`)
        }
      }
    }
    const height = Math.max(...panels.map(({ gridPos }) => gridPos.y + gridPos.h))
    assert.equal(cells.size, COLUMNS * height)
  })

  test(`${title}: every panel has a title, says what to do, and has a text for no data`, () => {
    assert.deepEqual(
      panels.map(({ id }) => id),
      panels.map((_, index) => index + 1),
    )
    for (const { type, title: panel, description, targets, fieldConfig } of panels) {
      if (type === 'text' || type === 'alertlist') continue
      assert.ok(panel, 'title')
      assert.ok((description?.length ?? 0) > 40, `${panel}: description`)
      assert.ok(fieldConfig?.defaults.noValue, `${panel}: text for no data`)
      assert.notEqual(targets?.length ?? 0, 0, `${panel}: query`)
      for (const { datasource } of targets ?? []) assert.equal(datasource.uid, 'qs')
    }
  })

  test(`${title}: links lead to dashboards that exist, with variables that they have`, () => {
    const links = [...JSON.stringify(dashboard).matchAll(/"\/d\/([\w-]+)\?var-(\w+)=/g)]
    for (const [, uid, variable] of links) {
      const target = readDashboards().find((each) => each.uid === uid)
      assert.ok(
        target?.templating.list.some(({ name }) => name === variable),
        `${uid} has no ${variable}`,
      )
    }
  })

  test(`${title}: links to the other dashboards are at the top, not in a menu`, () => {
    assert.deepEqual(
      dashboard.links.map(({ type, placement }) => [type, placement]),
      [['dashboards', undefined]],
    )
  })

  test(`${title}: a value enters SQL encoded, or is one of a fixed list`, () => {
    for (const { name, sql } of queriesOf(dashboard))
      for (const [whole] of sql.matchAll(/\$\{[^}]*\}/g))
        assert.ok(whole.endsWith(':percentencode}') || whole === '${interval:sqlstring}', `${name}: ${whole}`)
  })

  test(`${title}: every column that an override names is in a query`, () => {
    for (const panel of panels) {
      const sql = (panel.targets ?? []).map(({ rawSql }) => rawSql).join('\n')
      const { overrides = [] } = (panel.fieldConfig ?? {}) as {
        readonly overrides?: readonly {
          readonly matcher: { readonly id: string; readonly options: string }
        }[]
      }
      for (const { matcher } of overrides)
        if (matcher.id === 'byName')
          assert.ok(
            matcher.options
              .split('\\')
              .every((name) => sql.includes(`"${name}"`) || sql.includes(`'${name}'`)),
            `${panel.title}: no column ${matcher.options}`,
          )
    }
  })
}

test('there are seven dashboards, each with its own id that never changes', () => {
  assert.deepEqual(
    readDashboards()
      .map(({ uid }) => uid)
      .toSorted(),
    [
      'qs-boards',
      'qs-clock-drift',
      'qs-compare',
      'qs-data-quality',
      'qs-device',
      'qs-fleet',
      'qs-pipeline-health',
    ],
  )
})

test('every alert rule leads to a panel and says what to do, without a $ that Grafana would replace', () => {
  const settings = readDeployed('provisioning/alerting/qs.yaml').replaceAll(/'\$\{ALERT_[A-Z_]+\}'/g, '')
  assert.equal(settings.includes('$'), false)
  for (const { title, dashboardUid, panelId, annotations } of readAlertRules()) {
    const dashboard = readDashboards().find(({ uid }) => uid === dashboardUid)
    assert.ok(
      dashboard?.panels.some(({ id }) => id === panelId),
      title,
    )
    assert.ok(annotations.summary && annotations.description, title)
  }
})
