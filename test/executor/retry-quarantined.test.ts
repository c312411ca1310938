import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import type { PlacedFile } from '../../src/executor/retry-quarantined.ts'
import { rewinds } from '../../src/executor/retry-quarantined.ts'
import { PartitionMap } from '../../src/runtime/topic-partition.ts'
import { planFile } from '../helpers/planned.ts'
import { check } from '../helpers/properties.ts'

/** Chains by target partition, of five records a file, that take turns in one plan partition behind its head. */
function turns(chains: number, files: number): PlacedFile[] {
  return Array.from({ length: chains * files }, (_, n) => {
    const index = Math.floor(n / chains)
    const file = {
      ...planFile(index, index * 5, 5, index * 5, index * 5 + 5),
      target: { topic: 'copy', partition: n % chains },
    }
    return { partition: 0, offset: n + 1, file }
  })
}

test('a group is taken back to the first file that a target lacks, of those that it has passed', () => {
  const files = turns(2, 3) // offsets 1 to 6
  const counts = (a: number, b: number) =>
    new PartitionMap([
      [{ topic: 'copy', partition: 0 }, a],
      [{ topic: 'copy', partition: 1 }, b],
    ])
  const back = (a: number, b: number, committed: number) =>
    rewinds(files, counts(a, b), new Map([[0, committed]])).get(0)
  assert.equal(back(15, 15, 7), undefined, 'all is there')
  assert.equal(back(15, 7, 7), 4, 'the second file of the second chain')
  assert.equal(back(9, 7, 7), 3)
  assert.equal(back(15, 7, 4), undefined, 'not passed: the group is still to come there')
  assert.equal(back(0, 0, 7), 1)
  assert.equal(rewinds(files, counts(0, 0), new Map()).size, 0, 'a group without commits')
})

test('behind where a group is taken back to, nothing is missing', () => {
  check(
    fc.property(fc.nat(20), fc.nat(20), fc.nat(20), fc.nat(16), (a, b, c, committed) => {
      const files = turns(3, 4)
      const restored = new PartitionMap(
        [a, b, c].map((count, partition) => [{ topic: 'copy', partition }, count] as const),
      )
      const offset = rewinds(files, restored, new Map([[0, committed]])).get(0)
      const lacks = ({ file }: PlacedFile) => (restored.get(file.target) ?? 0) < file.recordsBefore + file.records
      const missing = files.filter(lacks).map(place => place.offset)
      assert.equal(
        offset,
        missing.find(at => at < committed),
      )
    }),
    500,
  )
})
