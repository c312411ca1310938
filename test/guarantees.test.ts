import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { root } from './runner/files.ts'

const page = readFileSync(join(root, 'docs/guarantees.md'), 'utf8')
const expectations = readFileSync(join(root, 'docs/expectations.md'), 'utf8')

for (const [name, text, least] of [
  ['guarantees', page, 80],
  ['expectations', expectations, 50],
] as const) {
  test(`every test that docs/${name}.md names exists`, () => {
    const named = [...text.matchAll(/^- `(test\/[^`]+)`: (.+)$/gm)].map(([, file = '', title = '']) => ({
      file,
      title,
    }))
    assert.ok(named.length > least)
    assert.deepEqual(named.filter(isMissing), [])
  })
}

test('every expectation has its place in docs/expectations.md, with a test', () => {
  const sections = expectations.split(/^### /m).slice(1)
  const numbers = (letter: string, count: number) =>
    Array.from({ length: count }, (_, n) => `${letter}${String(n + 1).padStart(2, '0')}`)
  assert.deepEqual(
    sections.map(section => section.slice(0, 3)),
    [...numbers('E', 11), ...numbers('T', 21)],
  )
  for (const section of sections) assert.match(section, /^- `test\//m)
})

test('every fault has its place in docs/guarantees.md, with a test, or with the words that there is none', () => {
  const sections = page.split(/^### /m).slice(1)
  const numbers = sections.map(section => section.slice(0, 3))
  assert.deepEqual(
    numbers,
    Array.from({ length: 60 }, (_, n) => `F${String(n + 1).padStart(2, '0')}`),
  )
  const silent = sections.filter(section => !/^- `test\//m.test(section) && !section.includes('Not shown yet.'))
  assert.deepEqual(silent, [])
})

function isMissing({ file, title }: { readonly file: string; readonly title: string }): boolean {
  if (!existsSync(join(root, file))) return true
  const source = readFileSync(join(root, file), 'utf8').replaceAll(/test\(\s+/g, 'test(')
  return !["'", '`'].some(quote => source.includes(`test(${quote}${title}${quote}`))
}
