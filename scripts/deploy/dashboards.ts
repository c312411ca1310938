import type { Builder } from '@grafana/grafana-foundation-sdk/cog'
import type { Panel as GrafanaPanel } from '@grafana/grafana-foundation-sdk/dashboard'
import {
  DashboardBuilder,
  DashboardCursorSync,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  VariableRefresh,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus'
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat'
import { PanelBuilder as LinesBuilder } from '@grafana/grafana-foundation-sdk/timeseries'
import type { Dashboard, Panel } from './panels.ts'

const datasource = { type: 'prometheus', uid: '${datasource}' }

/** A dashboard as Grafana imports it. */
export function dashboardFile({ name, title, rows, topics }: Dashboard): string {
  const board = new DashboardBuilder(title)
    .uid(`maxbrod-${name}`)
    .tags(['maxbrod', 'kafka', 'backup'])
    .description('Written by scripts/docs.ts from scripts/deploy/panels.ts.')
    .time({ from: 'now-3h', to: 'now' })
    .refresh('30s')
    .tooltip(DashboardCursorSync.Crosshair)
    .withVariable(new DatasourceVariableBuilder('datasource').label('Prometheus').type('prometheus'))
    .withVariable(
      new QueryVariableBuilder('topic')
        .datasource(datasource)
        .query(`label_values(${topics}, topic)`)
        .refresh(VariableRefresh.OnTimeRangeChanged)
        .multi(true)
        .includeAll(true)
        .allValue('.*'),
    )
  for (const row of rows) {
    board.withRow(new RowBuilder(row.title))
    for (const panel of row.panels) board.withPanel(panelOf(panel))
  }
  return `${JSON.stringify(board.build(), undefined, 2)}\n`
}

function panelOf(panel: Panel): Builder<GrafanaPanel> {
  const builder = panel.as === 'number' ? new StatBuilder().height(4).span(4) : new LinesBuilder().height(8).span(12)
  builder.title(panel.title).unit(panel.unit).datasource(datasource)
  if (panel.unit === 'percentunit') builder.min(0).max(1)
  for (const [expression, name] of Object.entries(panel.queries)) {
    const query = new DataqueryBuilder().expr(expression).legendFormat(name)
    builder.withTarget(panel.as === 'number' ? query.instant() : query)
  }
  return panel.limits === undefined ? builder : builder.thresholds(thresholds(panel.limits))
}

function thresholds([yellow, red]: readonly [number, number]): ThresholdsConfigBuilder {
  const isRedWhenLow = red < yellow
  const steps = isRedWhenLow
    ? [
        { value: null, color: 'red' },
        { value: red, color: 'yellow' },
        { value: yellow, color: 'green' },
      ]
    : [
        { value: null, color: 'green' },
        ...(yellow < red ? [{ value: yellow, color: 'yellow' }] : []),
        { value: red, color: 'red' },
      ]
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps)
}
