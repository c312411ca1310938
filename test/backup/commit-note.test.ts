import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { decodeCommitNote, encodeCommitNote } from '../../src/format/commit-note.ts'
import { requireArchive } from '../../src/backup/resume/commit-note.ts'
import { check } from '../helpers/properties.ts'

const note = { archiveId: 'a', topicId: 'Hx3y8Ra6RBe9-hFQXtB2Kg', lineage: 7, lastFrom: 10, origin: 3 }

test('a note comes back as it was written, whatever is left out', () => {
  for (const written of [
    note,
    { ...note, topicId: undefined },
    { ...note, lineage: undefined, lastFrom: undefined },
    { ...note, lastFrom: 0, origin: 0 },
    { ...note, stopped: 'TILE_CONFLICT' },
  ])
    assert.deepEqual(decodeCommitNote(encodeCommitNote(written)), written)
})

test('metadata of other programs is none of ours, and never throws', () => {
  for (const metadata of [
    '',
    'null',
    '7',
    '[]',
    '{}',
    '{"archiveId":7,"origin":0}',
    '{"archiveId":"a"}',
    '{"archiveId":"a","origin":"0"}',
    '{"archiveId":"a","origin":0,"topicId":7}',
    '{"archiveId":"a","origin":0,"lineage":"x"}',
    '{"archiveId":"a","origin":0,"lastFrom":"x"}',
    encodeCommitNote(note).slice(0, -1),
  ])
    assert.equal(decodeCommitNote(metadata), undefined, metadata)
  check(
    fc.property(fc.oneof(fc.string(), fc.json()), text => void decodeCommitNote(text)),
    500,
  )
})

test('a note of another archive is refused by name, with a way out', () => {
  requireArchive(note, 'a', { topic: 'orders', partition: 3 })
  assert.throws(() => requireArchive(note, 'b', { topic: 'orders', partition: 3 }), {
    code: 'FOREIGN_ARCHIVE',
    message: 'the group has committed orders-3 for another archive (a)',
    hint: /--group-id/,
  })
})
