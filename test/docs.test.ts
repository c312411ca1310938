import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { docsFolder, docsPages } from '../scripts/docs.ts'
import { changeNotes, changelogPage, headOf, parseNote } from '../scripts/docs/changelog-page.ts'
import { metricSets } from '../scripts/docs/metrics-page.ts'

for (const [name, content] of Object.entries(await docsPages())) {
  test(`docs/${name} says what the code says`, () => {
    assert.equal(readFileSync(join(docsFolder, name), 'utf8'), content, 'stale: run npm run docs')
  })
}

const changelog = readFileSync(join(docsFolder, '../CHANGELOG.md'), 'utf8')
const notes = changeNotes(join(docsFolder, '..'))

test('CHANGELOG.md has every note of a version that is out, and of the next one nothing that has no note', () => {
  // A note comes with its change; the page follows with the next run of npm run docs, and with a release at the latest.
  const [unreleased = '', ...released] = changelog.split(/^(?=## (?!Unreleased))/m)
  const expected = changelogPage(notes).split(/^(?=## (?!Unreleased))/m)
  assert.deepEqual(released, expected.slice(1), 'stale: run npm run docs')
  const heads = new Set(notes.filter(({ version }) => version === 'unreleased').map(({ title }) => headOf(title)))
  const written = [...unreleased.matchAll(/^- (\*\*.*?\.\*\*) /gm)].map(([, head = '']) => head)
  assert.ok(written.length > 0)
  assert.deepEqual(
    written.filter(head => !heads.has(head)),
    [],
    'stale: run npm run docs',
  )
})

test('notes of changes are put together by version and kind, the newest first; one that is none is refused', () => {
  const note = (version: string, first: string) => parseNote(version, 'a.md', `${first}\n\nWhat was.\nWhat is.\n`)
  const page = changelogPage([
    note('0.9.0', 'Bugfix: a thing'),
    note('0.10.0', 'Enhancement: b thing'),
    note('unreleased', 'Bugfix: c thing'),
    note('unreleased', 'Security: d thing'),
  ])
  assert.deepEqual(page.match(/^(#+ |- ).*/gm), [
    '# Changes',
    '## Unreleased',
    '### Security',
    '- **D thing.** What was. What is.',
    '### Fixed',
    '- **C thing.** What was. What is.',
    '## 0.10.0',
    '### Added',
    '- **B thing.** What was. What is.',
    '## 0.9.0',
    '### Fixed',
    '- **A thing.** What was. What is.',
  ])
  for (const bad of [
    'Enhancement a thing\n\nText.',
    'Bugfix: a thing\nText.',
    'Bugfix: a thing\n',
    'Feature: a\n\nText.',
  ])
    assert.throws(() => parseNote('unreleased', 'bad.md', bad), /bad\.md/)
})

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
