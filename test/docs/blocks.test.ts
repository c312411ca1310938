import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { anchorOf } from '../../scripts/docs/markdown.ts'
import { assertRuns } from '../deploy/assert-runs.ts'
import { blocksOf, commandsOf, pages } from '../helpers/page-blocks.ts'
import { patternOf } from '../helpers/page-walk.ts'
import { wordsOf } from '../helpers/shell-words.ts'
import { root } from '../runner/files.ts'
import { runElsewhere, walkedPages } from './walked-pages.ts'

/** What may stand behind a fence. A shell under another name would be read by no test. */
const known = /^(sh( cluster)?|text|promql|properties|ini|json|ts|avdl|mermaid|yaml|)$/
/** Where nobody but a developer of maxbrod types. */
const forDevelopers = ['CONTRIBUTING.md', 'test/README.md', 'ARCHITECTURE.md']

/** What pages that are not walked show beside maxbrod. */
const unixTools = ['kill', 'curl', 'ssh']

const blocks = pages.flatMap(page => blocksOf(page))
const shells = blocks.filter(({ info, page }) => info.startsWith('sh') && !forDevelopers.includes(page))

test('every block is of a kind that some test reads', () => {
  assert.deepEqual(
    blocks.filter(({ info }) => !known.test(info)).map(({ page, info }) => `${page}: ${info}`),
    [],
  )
})

test('a page whose blocks are run is named by the test that runs them', () => {
  for (const [page, file] of Object.entries({ ...walkedPages, ...runElsewhere }))
    assert.ok(readFileSync(join(root, file), 'utf8').includes(`'${page}'`), `${file} does nothing with ${page}`)
})

test('a block of what is printed stands behind a block that is run', () => {
  for (const [index, { page, info, lines }] of blocks.entries()) {
    if (info !== 'text' || walkedPages[page] === undefined) continue
    const before = blocks.slice(0, index).findLast(block => block.page === page && block.info !== 'sh cluster')
    assert.equal(before?.info, 'sh', lines[0]?.where)
  }
})

test('every other command of a page names a command that exists, with flags of its own', async () => {
  let count = 0
  const others = shells.filter(({ page, info }) => info === 'sh' && walkedPages[page] === undefined)
  for (const { text, where } of others.flatMap(block => commandsOf(block))) {
    const [program, ...argv] = wordsOf(text)
    assert.ok(program === 'maxbrod' || unixTools.includes(program ?? ''), `${where}: ${program} is run by no test`)
    if (program !== 'maxbrod') continue
    await assertRuns({ where, argv, env: {} })
    count++
  }
  assert.ok(count >= 40, `${count}`)
})

test('links between pages lead to headings that exist', () => {
  const broken = pages.flatMap(page => {
    const text = readFileSync(join(root, page), 'utf8')
    return [...text.matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)]+))?\)/g)].flatMap(([link, path = '', anchor]) => {
      const target = path === '' ? page : join(page, '..', path)
      if (!existsSync(join(root, target))) return [`${page}: ${link}`]
      return anchor === undefined || anchorsOf(target).includes(anchor) ? [] : [`${page}: ${link}`]
    })
  })
  assert.deepEqual(broken, [])
})

test('what a page says that is printed may differ in times, in columns, and where it says …', () => {
  const cases: readonly (readonly [line: string, printed: string, isSame: boolean])[] = [
    ['orders 4 5000', 'orders       4     5000\n', true],
    ['orders 4 5000', 'orders 4 5001', false],
    ['orders … 5000', 'orders 4 of 4 5000', true],
    ['at 2026-11-26T06:19:11.994Z', 'at 2027-01-01T00:00:00Z', true],
    ['at 2026-11-26T06:19:11.994Z', 'at any time', false],
    ['all there', 'first\nall there\n', true],
    ['all there', 'not all there\n', false],
    ['all there', 'all there, but one\n', false],
    ['a.b', 'axb', false],
  ]
  for (const [line, printed, isSame] of cases) assert.equal(patternOf(line).test(printed), isSame, line)
})

function anchorsOf(page: string): string[] {
  return [...readFileSync(join(root, page), 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    anchorOf(heading),
  )
}
