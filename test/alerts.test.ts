import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { alerts } from '../scripts/docs/alerts.ts'
import { metricSets } from '../scripts/docs/metrics-page.ts'
import { metricName } from '../src/observe/metric-set.ts'
import { root } from './runner/files.ts'

const folder = join(root, 'deploy/prometheus')
const promtool = spawnSync('promtool', ['--version']).error === undefined

test('alerts speak of metrics that there are, with labels that these have', async () => {
  const known = new Map(
    (await metricSets()).flatMap(({ name, metrics }) =>
      Object.entries(metrics).map(([key, { labels }]) => [metricName(name, key), labels] as const),
    ),
  )
  for (const { name, expression, example } of alerts) {
    const used = [expression, ...Object.keys(example)].flatMap(text => text.match(/maxbrod_\w+/g) ?? [])
    assert.ok(used.length >= 2, name)
    for (const metric of used) assert.ok(known.has(metric), `${name}: ${metric}`)
    const by = /by \(([^)]*)\) \((?:increase\()?(maxbrod_\w+)/.exec(expression)
    const labels = (by?.[1] ?? '').split(', ').filter(label => label !== '' && label !== 'instance')
    for (const label of labels) assert.ok(Object.hasOwn(known.get(by?.[2] ?? '') ?? {}, label), `${name}: ${label}`)
  }
})

test('every alert has a name of its own and says what to do', () => {
  assert.equal(new Set(alerts.map(({ name }) => name)).size, alerts.length)
  for (const { name, todo } of alerts) assert.match(todo, /\w{4,}.*\.$/, name)
})

for (const command of [
  ['check', 'rules', 'rules.yaml'],
  ['test', 'rules', 'rules.test.yaml'],
]) {
  const title = command[0] === 'check' ? 'Prometheus takes the rules' : 'every alert fires when it should, and resolves'
  test(title, { skip: !promtool && 'promtool is not installed (Debian: prometheus)' }, () => {
    const { status, stdout, stderr } = spawnSync('promtool', command, { cwd: folder, encoding: 'utf8' })
    assert.equal(status, 0, stdout + stderr)
  })
}
