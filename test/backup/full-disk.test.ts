import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Disk } from '../../src/runtime/disk.ts'
import { MaxbrodError, isMaxbrodError } from '../../src/runtime/errors.ts'
import { eventually } from '../helpers/eventually.ts'
import { answerOf, batchAt, openLonePartition } from '../helpers/lone-partition.ts'

test('a spool that cannot be written to is noticed with the first block, not when the file is old enough', async () => {
  let isFull = true
  const troubles: unknown[] = []
  const disk = (real: Disk): Disk => ({
    ...real,
    openAppend(path) {
      return isFull ? Promise.reject(new MaxbrodError('DISK', 'no space left on device')) : real.openAppend(path)
    },
  })
  await using lone = await openLonePartition({
    disk,
    deps: {
      onTrouble(trouble) {
        troubles.push(trouble)
        isFull = false
        return Promise.resolve('try again')
      },
    },
  })
  const { partition, uploaded, memory } = lone
  const answer = answerOf([batchAt(0, 30, { bytes: 100_000 })])
  await partition.take(answer, 0, false)
  // No time passes: neither size nor age will close the file.
  await eventually('the partition begins again', () => partition.position === 0, { everyMs: 1 })
  assert.equal(troubles.length, 1)
  assert.ok(isMaxbrodError(troubles[0], 'DISK'))
  await partition.take(answer, 0, false)
  await partition.flush('the test wants to see it')
  assert.deepEqual(
    uploaded.map(({ from, to, records }) => [from, to, records]),
    [[0, 30, 30]],
  )
  assert.equal(memory.budget.usedBytes, 0)
})
