import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { dashboardFile } from '../../scripts/deploy/dashboards.ts'
import { dashboards } from '../../scripts/deploy/panels.ts'
import { metricSets } from '../../scripts/docs/metrics-page.ts'
import { metricName } from '../../src/observe/metric-set.ts'

const promtool = spawnSync('promtool', ['--version']).error === undefined

interface Board {
  readonly uid: string
  readonly panels: readonly {
    readonly type: string
    readonly title: string
    readonly targets?: readonly { readonly expr: string }[]
    readonly gridPos: { readonly x: number; readonly w: number }
  }[]
}

// What Grafana gets, not what it was made from.
const boards = dashboards.map(dashboard => JSON.parse(dashboardFile(dashboard)) as Board)
const queries = boards.flatMap(({ uid, panels }) =>
  panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ where: `${uid}: ${title}`, expr }))),
)

/** Every metric with its labels; a histogram has series of its own for its buckets. */
async function knownMetrics(): Promise<ReadonlyMap<string, readonly string[]>> {
  const known = new Map<string, readonly string[]>()
  for (const { name, metrics } of await metricSets()) {
    for (const [key, { kind, labels }] of Object.entries(metrics)) {
      const [suffix, more] = kind === 'histogram' ? ['_bucket', ['le']] : ['', []]
      known.set(`${metricName(name, key)}${suffix}`, [...Object.keys(labels), ...more])
    }
  }
  return known
}

test('every panel asks for metrics that there are, by labels that these have', async () => {
  const known = await knownMetrics()
  assert.ok(queries.length > 30)
  for (const { where, expr } of queries) {
    const used = expr.match(/maxbrod_\w+/g) ?? []
    assert.ok(used.length > 0 && used.every(metric => known.has(metric)), `${where}: ${expr}`)
    const labels = [...expr.matchAll(/by \(([^)]*)\)|\{(\w+)=/g)].flatMap(([, by, at]) => (by ?? at ?? '').split(', '))
    const had = ['instance', ...used.flatMap(metric => known.get(metric) ?? [])]
    for (const label of labels) assert.ok(had.includes(label), `${where}: ${label}`)
  }
  const chosenBy = dashboards.map(({ topics }) => known.get(topics) ?? [])
  for (const labels of chosenBy) assert.ok(labels.includes('topic'))
})

test('panels have titles of their own, and stand side by side within the width of a screen', () => {
  for (const { uid, panels } of boards) {
    const titles = panels.map(({ title }) => title)
    assert.equal(new Set(titles).size, titles.length, uid)
    for (const { gridPos, title } of panels) assert.ok(gridPos.x + gridPos.w <= 24, `${uid}: ${title}`)
  }
})

test('Prometheus takes every query', { skip: !promtool && 'promtool is not installed (Debian: prometheus)' }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'maxbrod-queries-'))
  try {
    const check = (expressions: readonly string[]) => {
      const rules = expressions.map((expr, index) => ({ record: `panel:${index}`, expr: withoutVariables(expr) }))
      const file = join(folder, 'queries.yaml')
      writeFileSync(file, JSON.stringify({ groups: [{ name: 'panels', rules }] }))
      return spawnSync('promtool', ['check', 'rules', file], { encoding: 'utf8' })
    }
    const { status, stdout, stderr } = check(queries.map(({ expr }) => expr))
    assert.equal(status, 0, stdout + stderr)
    assert.notEqual(check(['sum by (topic (x)']).status, 0)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

/** As Grafana sends it. */
function withoutVariables(expression: string): string {
  const sent = expression.replaceAll('$__rate_interval', '5m').replaceAll('$topic', '.*')
  assert.doesNotMatch(sent, /\$/, expression)
  return sent
}
