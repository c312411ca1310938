import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { docsFolder, docsPages } from '../scripts/docs.ts'
import { metricSets } from '../scripts/docs/metrics-page.ts'

for (const [name, content] of Object.entries(await docsPages())) {
  test(`docs/${name} says what the code says`, () => {
    assert.equal(readFileSync(join(docsFolder, name), 'utf8'), content, 'stale: run npm run docs')
  })
}

test('metrics are called as Prometheus wants it: counters end in total, others in their unit, and help is a sentence', async () => {
  const wrong = (await metricSets()).flatMap(({ name, metrics }) =>
    Object.entries(metrics)
      .filter(([key, { kind, help }]) => {
        const isNamed = kind === 'counter' ? key.endsWith('Total') : !key.endsWith('Total')
        const hasUnit = kind !== 'histogram' || /(Seconds|Bytes)$/.test(key)
        return !isNamed || !hasUnit || key.endsWith('Ms') || !/^[A-Z].*\.$/.test(help)
      })
      .map(([key]) => `${name}.${key}`),
  )
  assert.deepEqual(wrong, [])
})
