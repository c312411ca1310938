import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { isSameIdentity, plainFacts, tileFactsFromMap, tileFactsToMap } from '../../src/format/facts.ts'
import type { TileFacts } from '../../src/format/facts.ts'
import { check } from '../helpers/properties.ts'

const whole: TileFacts = {
  clusterId: 'MkU3OEVBNTcwNTJENDM2Qg',
  topicId: 'Hx3y8Ra6RBe9-hFQXtB2Kg',
  lineage: 7,
  coversTo: 200,
  records: 20,
  uploadId: 'ab'.repeat(16),
}

const wholes = fc.integer({ min: 0, max: 2 ** 53 - 1 })
const facts: fc.Arbitrary<TileFacts> = fc.record(
  {
    clusterId: fc.string(),
    topicId: fc.option(fc.string(), { nil: undefined }),
    lineage: fc.option(fc.nat(), { nil: undefined }),
    coversTo: wholes,
    records: wholes,
    uploadId: fc.string(),
  },
  { noNullPrototype: true },
)

test('facts that were written are read back', () => {
  check(
    fc.property(facts, one => assert.deepEqual(tileFactsFromMap(tileFactsToMap(one, 'cd'.repeat(32))), one)),
    500,
  )
})

test('facts are a map of plain text, whose names every store keeps', () => {
  assert.deepEqual(tileFactsToMap(whole, 'cd'.repeat(32)), {
    'cluster-id': 'MkU3OEVBNTcwNTJENDM2Qg',
    'topic-id': 'Hx3y8Ra6RBe9-hFQXtB2Kg',
    lineage: '7',
    'covers-to': '200',
    records: '20',
    'upload-id': 'ab'.repeat(16),
    sha256: 'cd'.repeat(32),
  })
})

test('a map without what makes a tile is none', () => {
  const map = tileFactsToMap(whole, '')
  for (const name of ['cluster-id', 'covers-to', 'records', 'upload-id']) {
    const { [name]: _left, ...rest } = map
    assert.equal(tileFactsFromMap(rest), undefined, name)
  }
  assert.equal(tileFactsFromMap({}), undefined)
  assert.equal(tileFactsFromMap(plainFacts(Buffer.from('x'))), undefined)
})

test('a number that tileFactsToMap would not have written makes the map none of a tile', () => {
  for (const name of ['covers-to', 'records', 'lineage'])
    for (const text of ['', ' ', '01', '+1', '-1', '1.5', '1e3', '0x10', '9007199254740992', 'NaN', '1 ', 'Infinity'])
      assert.equal(tileFactsFromMap({ ...tileFactsToMap(whole, ''), [name]: text }), undefined, `${name}: '${text}'`)
})

test('facts are of one identity when cluster, topic id and lineage are the same', () => {
  assert.ok(isSameIdentity(whole, { ...whole }))
  for (const other of [
    { clusterId: 'x' },
    { topicId: undefined },
    { topicId: 'x' },
    { lineage: undefined },
    { lineage: 8 },
  ])
    assert.equal(isSameIdentity(whole, { ...whole, ...other }), false)
})

test('facts of other objects are their SHA-256', () => {
  assert.deepEqual(plainFacts(Buffer.from('x')), { sha256: createHash('sha256').update('x').digest('hex') })
})
