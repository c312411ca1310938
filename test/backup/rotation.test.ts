import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rotate } from '../../src/backup/rotation.ts'

const limits = { minFileSize: 1_000, maxFileAge: 5_000 }

const cases = [
  ['nothing covered, however old', { spooledBytes: 0, coveredOffsets: 0, ageMs: 1e9 }, undefined],
  ['small and young', { spooledBytes: 999, coveredOffsets: 5, ageMs: 4_999 }, undefined],
  ['as large as a file must be', { spooledBytes: 1_000, coveredOffsets: 1, ageMs: 0 }, 'size'],
  ['as old as a file may be', { spooledBytes: 1, coveredOffsets: 1, ageMs: 5_000 }, 'age'],
  ['old, with offsets that have no records', { spooledBytes: 0, coveredOffsets: 1, ageMs: 5_000 }, 'age'],
  ['both', { spooledBytes: 5_000, coveredOffsets: 9, ageMs: 9_000 }, 'size'],
] as const

for (const [what, draft, reason] of cases)
  test(`a tile is closed or not: ${what}`, () => assert.equal(rotate(draft, limits), reason))
