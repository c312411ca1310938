import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import type { PlanFile } from '../../src/format/plan.ts'
import { recordsOf, resumeAt } from '../../src/executor/resume.ts'
import { planFile } from '../helpers/planned.ts'
import { check } from '../helpers/properties.ts'

/** Files with so many records each, in twice as many offsets. */
function plan(...records: number[]): PlanFile[] {
  let from = 0
  let before = 0
  return records.map((count, index) => {
    const file = planFile(index, before, count, from, from + 2 * count + 1)
    from += 2 * count + 1
    before += count
    return file
  })
}

const files = plan(3, 0, 2) // offsets 0–6, 7, 8–12

const cases = [
  ['an empty target', 0, undefined, { kind: 'go on', index: 0, skip: 0 }],
  ['inside the first file', 2, 3, { kind: 'go on', index: 0, skip: 2 }],
  ['at the border, behind the empty file', 3, 6, { kind: 'go on', index: 2, skip: 0 }],
  ['inside the last file', 4, 9, { kind: 'go on', index: 2, skip: 1 }],
  ['at the end', 5, 12, { kind: 'complete' }],
] as const

for (const [title, count, tailSourceOffset, verdict] of cases)
  test(`a chain goes on ${title}`, () => assert.deepEqual(resumeAt(files, { count, tailSourceOffset }), verdict))

const spoiled = [
  ['fewer records than before the restore', -2, undefined, 0, /ends 2 records before the place/],
  ['more records than planned', 6, 12, 5, /holds 6 records, where 5 are planned/],
  ['a last record without a source offset', 2, undefined, 1, /carries no source offset/],
  ['a last record of an earlier file', 4, 6, 3, /source offset 6, where one from 8 to 12 must stand/],
  ['a last record of a later file', 2, 8, 1, /source offset 8, where one from 0 to 6 must stand/],
] as const

for (const [title, count, tailSourceOffset, record, reason] of spoiled) {
  test(`a target is spoiled that holds ${title}`, () => {
    const verdict = resumeAt(files, { count, tailSourceOffset })
    assert.ok(verdict.kind === 'spoiled')
    assert.match(verdict.reason, reason)
    assert.equal(verdict.record, record)
  })
}

test('a slice is what counts, not the whole file', () => {
  const [file] = plan(5)
  const sliced = { ...file!, records: 2, slice: { fromOffset: 4, toOffset: 8 } }
  assert.deepEqual(resumeAt([sliced], { count: 1, tailSourceOffset: 4 }), { kind: 'go on', index: 0, skip: 1 })
  assert.equal(resumeAt([sliced], { count: 1, tailSourceOffset: 3 }).kind, 'spoiled')
  assert.equal(resumeAt([sliced], { count: 1, tailSourceOffset: 8 }).kind, 'spoiled')
})

test('an empty plan is complete, unless the target holds something', () => {
  assert.deepEqual(resumeAt([], { count: 0, tailSourceOffset: undefined }), { kind: 'complete' })
  assert.equal(resumeAt([], { count: 1, tailSourceOffset: 0 }).kind, 'spoiled')
})

test('at every count of every plan, a chain goes on with the very next record', () => {
  check(
    fc.property(fc.array(fc.nat(4), { maxLength: 8 }), counts => {
      const all = plan(...counts)
      const total = recordsOf(all)
      // The n-th record of the plan: which file it is in, and which one there.
      const places = all.flatMap(({ index, records }) => Array.from({ length: records }, (_, n) => ({ index, n })))
      for (let count = 0; count <= total + 1; count++) {
        const last = places[count - 1]
        const tailSourceOffset = last === undefined ? undefined : all[last.index]!.covers.from + last.n
        const verdict = resumeAt(all, { count, tailSourceOffset })
        const next = places[count]
        if (count > total) assert.equal(verdict.kind, 'spoiled')
        else if (next === undefined) assert.deepEqual(verdict, { kind: 'complete' })
        else assert.deepEqual(verdict, { kind: 'go on', index: next.index, skip: next.n })
      }
    }),
    300,
  )
})
