import { unthrottled } from '../../src/runtime/throttle.ts'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FetchLoops } from '../../src/backup/fetch-loops.ts'
import type { Verdict } from '../../src/backup/reading/partition-deps.ts'
import type { MaxbrodError } from '../../src/runtime/errors.ts'
import { isMaxbrodError } from '../../src/runtime/errors.ts'
import { answerOf, batchAt, openLonePartition } from '../helpers/lone-partition.ts'

const SECOND = 1_000

function troubled(verdict: Verdict) {
  const told: MaxbrodError[] = []
  const onTrouble = (trouble: unknown) => {
    assert.ok(isMaxbrodError(trouble))
    told.push(trouble)
    return Promise.resolve(verdict)
  }
  return { told, deps: { onTrouble } }
}

for (const trouble of ['CORRUPT_MESSAGE', 'UNKNOWN_SERVER_ERROR', 'NOT_LEADER_OR_FOLLOWER', 'ERROR_99'] as const) {
  test(`a broker that answers ${trouble} for a minute is told of, and --once does not wait for it`, async () => {
    const { told, deps } = troubled('stop')
    await using lone = await openLonePartition({ deps })
    const { partition, clock, stopped } = lone
    const answer = answerOf([], { trouble })
    for (let n = 0; n < 59; n++, clock.advance(SECOND)) await partition.take(answer, 0, false)
    // A single good answer, and all is well again.
    await partition.take(answerOf([batchAt(0, 10)]), 0, false)
    for (let n = 0; n < 60; n++, clock.advance(SECOND)) await partition.take(answer, 10, false)
    assert.deepEqual({ told, stopped }, { told: [], stopped: [] })
    await partition.take(answer, 10, false)
    await Promise.resolve()
    assert.match(told[0]?.message ?? '', new RegExp(`orders-0 cannot be read for a minute: ${trouble}`))
    assert.deepEqual(stopped, told)
  })
}

test('a worker tells of lasting trouble once a minute and goes on reading when it is over', async () => {
  const { told, deps } = troubled('try again')
  await using lone = await openLonePartition({ deps })
  const { partition, clock, stopped } = lone
  for (let n = 0; n < 190; n++, clock.advance(SECOND))
    await partition.take(answerOf([], { trouble: 'KAFKA_STORAGE_ERROR' }), 0, false)
  assert.equal(told.length, 3)
  await partition.take(answerOf([batchAt(0, 10)]), 0, false)
  assert.deepEqual({ position: partition.position, stopped }, { position: 10, stopped: [] })
})

test('a partition without leader is told of after a minute, too, unless there is nothing to read', async () => {
  const { told, deps } = troubled('stop')
  await using lone = await openLonePartition({ deps })
  await using done = await openLonePartition({ deps })
  done.partition.endAt(0)
  for (const { cluster, clock, partition } of [lone, done]) {
    cluster.hasLeader = false
    for (let n = 0; n < 200; n++, clock.advance(SECOND)) {
      partition.tick()
      await Promise.resolve()
    }
  }
  assert.equal(told.length, 1)
  assert.deepEqual([lone.stopped.length, done.stopped.length], [1, 0])
})

test('the leader of a partition that has none is looked for', async () => {
  await using lone = await openLonePartition()
  const { cluster, partition, context, memory } = lone
  cluster.hasLeader = false
  const loops = new FetchLoops(
    {
      context,
      memory,
      throttle: unthrottled,
      isDiskFull: () => false,
      partitions: () => [partition],
      minBytes: 1,
      signal: AbortSignal.abort(),
    },
    () => undefined,
  )
  loops.update()
  assert.equal(cluster.refreshes, 1)
  cluster.hasLeader = true
  loops.update()
  assert.equal(cluster.refreshes, 1)
  await loops.ended()
})

test('a corrupt batch is called corrupt after three more tries, however many empty answers come in between', async () => {
  await using lone = await openLonePartition()
  const { partition, cluster, stopped } = lone
  const corrupt = batchAt(10, 10)
  corrupt[corrupt.length - 1]! ^= 1
  const answer = answerOf([batchAt(0, 10), corrupt])
  await partition.take(answer, 0, false)
  for (let n = 0; n < 3; n++) {
    assert.deepEqual(stopped, [])
    await partition.take(answerOf([]), 10, false)
    await partition.take(answer, 10, false)
  }
  assert.equal(cluster.reconnects, 3)
  assert.ok(isMaxbrodError(stopped[0], 'BATCH_CORRUPT'))
})
