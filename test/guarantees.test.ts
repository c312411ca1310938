import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { root } from './runner/files.ts'

const page = readFileSync(join(root, 'docs/guarantees.md'), 'utf8')
const named = [...page.matchAll(/^- `(test\/[^`]+)`: (.+)$/gm)].map(([, file = '', title = '']) => ({ file, title }))

test('every test that docs/guarantees.md names exists', () => {
  assert.ok(named.length > 80)
  assert.deepEqual(named.filter(isMissing), [])
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

function isMissing({ file, title }: (typeof named)[number]): boolean {
  if (!existsSync(join(root, file))) return true
  const source = readFileSync(join(root, file), 'utf8').replaceAll(/test\(\s+/g, 'test(')
  return !["'", '`'].some(quote => source.includes(`test(${quote}${title}${quote}`))
}
