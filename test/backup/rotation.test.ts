import assert from 'node:assert/strict'
import { test } from 'node:test'
import { blockBounds, compressedAtMost, rotate, rotateBefore } from '../../src/backup/chain/rotation.ts'

const mib = 1024 * 1024
const limits = { minFileSize: 1_000, maxFileSize: undefined, maxFileRecords: 50, maxFileAge: 5_000 }
const draft = { spooledBytes: 1, bytesAtMost: 1, records: 1, coveredOffsets: 1, ageMs: 0 }

const cases = [
  ['nothing covered, however old', { spooledBytes: 0, records: 0, coveredOffsets: 0, ageMs: 1e9 }, undefined],
  ['small and young', { spooledBytes: 999, records: 49, coveredOffsets: 5, ageMs: 4_999 }, undefined],
  ['what is still being compressed does not make it large', { bytesAtMost: 9_999 }, undefined],
  ['as large as a file must be', { spooledBytes: 1_000 }, 'size'],
  ['as many records as a file may have', { records: 50 }, 'records'],
  ['many offsets with few records', { records: 49, coveredOffsets: 1_000 }, undefined],
  ['as old as a file may be', { ageMs: 5_000 }, 'age'],
  ['old, with offsets that have no records', { spooledBytes: 0, records: 0, ageMs: 5_000 }, 'age'],
  ['large and old', { spooledBytes: 5_000, coveredOffsets: 9, ageMs: 9_000 }, 'size'],
] as const

for (const [what, change, reason] of cases)
  test(`a tile is closed or not: ${what}`, () => assert.equal(rotate({ ...draft, ...change }, limits), reason))

const small = { ...limits, maxFileSize: mib }
const before = [
  ['an empty one takes whatever comes', { records: 0, bytesAtMost: 0 }, { records: 99, length: 5 * mib }, undefined],
  ['room for both', { records: 20, bytesAtMost: mib / 2 }, { records: 30, length: mib / 4 }, undefined],
  ['a record too many', { records: 20, bytesAtMost: 9 }, { records: 31, length: 9 }, 'records'],
  ['bytes that might be too many', { records: 1, bytesAtMost: mib / 2 }, { records: 1, length: mib / 2 }, 'size'],
] as const

for (const [what, has, comes, reason] of before)
  test(`a tile is closed before a block or not: ${what}`, () => assert.equal(rotateBefore(has, comes, small), reason))

test('without limits no block is too much for a tile', () => {
  const none = { ...limits, maxFileRecords: undefined }
  assert.equal(rotateBefore({ records: 1, bytesAtMost: 1e12 }, { records: 1e9, length: 1e9 }, none), undefined)
  assert.deepEqual(blockBounds({ records: 1_000 }, none), { maxBytes: Infinity, maxRecords: Infinity })
})

test('the largest block there may be fits into an empty file, and nothing fits beside it', () => {
  for (const maxFileSize of [64 * 1024, 65_537, 1_000_003, mib, 1e10]) {
    const { maxBytes } = blockBounds(undefined, { ...limits, maxFileSize })
    assert.ok(maxBytes > maxFileSize * 0.9 && compressedAtMost(maxBytes) + 4 * 1024 <= maxFileSize, `${maxBytes}`)
    const full = { records: 1, bytesAtMost: compressedAtMost(maxBytes) }
    assert.equal(rotateBefore(full, { records: 1, length: 200 }, { ...limits, maxFileSize }), 'size')
  }
})

test('a block may have the records that its tile still lacks', () => {
  assert.equal(blockBounds({ records: 20 }, limits).maxRecords, 30)
  assert.equal(blockBounds(undefined, limits).maxRecords, 50)
})
