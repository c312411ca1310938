import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CommitNote } from '../../src/format/commit-note.ts'
import { encodeCommitNote } from '../../src/format/commit-note.ts'
import { noteOfNothing } from '../../src/backup/resume/commit-note.ts'
import type { OnceTargets, TargetsDeps } from '../../src/backup/once.ts'
import { captureTargets, targetsReached } from '../../src/backup/once.ts'
import { BackupTally } from '../../src/backup/result.ts'
import type { KafkaErrorName } from '../../src/kafka/kafka-errors.ts'
import type { ClusterAdmin, CommittedOffset, TopicDescription } from '../../src/kafka/port/admin.ts'
import type { Kafka } from '../../src/kafka/port.ts'
import { MaxbrodError } from '../../src/runtime/errors.ts'
import { PartitionMap, partitionName } from '../../src/runtime/topic-partition.ts'
import { ManualClock } from '../helpers/manual-clock.ts'

const settle = () => new Promise(resolve => setImmediate(resolve))
const at = (partition: number, topic = 'orders') => ({ topic, partition })

function described(name: string, partitions: number, more: Partial<TopicDescription> = {}): TopicDescription {
  return {
    name,
    topicId: `id of ${name}`,
    isInternal: false,
    partitions,
    replicationFactor: 1,
    error: undefined,
    ...more,
  }
}

/** A cluster whose answers the test writes down. */
class Cluster {
  topics: TopicDescription[] = [described('orders', 2)]
  readonly stable = new PartitionMap<number>()
  readonly watermarks = new PartitionMap<number>()
  readonly failed = new PartitionMap<KafkaErrorName>()
  readonly committed = new PartitionMap<CommittedOffset>()
  asked = 0

  get kafka(): Kafka {
    const admin: Partial<ClusterAdmin> = {
      topics: async names => this.topics.filter(({ name }) => names?.includes(name) ?? true),
      offsets: async kind => ({ offsets: kind === 'last stable' ? this.stable : this.watermarks, failed: this.failed }),
      committed: async () => {
        this.asked++
        return this.committed
      },
    }
    return { admin } as Kafka
  }

  commit(
    partition: number,
    offset: number,
    { archiveId = 'ours', topicId = 'id of orders', ...more }: Partial<CommitNote> = {},
  ): void {
    const note = { archiveId, topicId, lineage: undefined, lastFrom: undefined, origin: 0, ...more }
    this.committed.set(at(partition), { offset, metadata: encodeCommitNote(note) })
  }
}

test('what --once backs up ends at the last stable offsets, and what lies behind open transactions is listed', async () => {
  const cluster = new Cluster()
  cluster.topics.push(described('left out', 1))
  cluster.stable.set(at(0), 10)
  cluster.stable.set(at(1), 7)
  cluster.watermarks.set(at(0), 10)
  cluster.watermarks.set(at(1), 12)
  const selection = { fingerprint: '', names: undefined, matches: ({ name }: TopicDescription) => name === 'orders' }
  const { ends, unknown, behindOpenTransaction } = await captureTargets(cluster.kafka, selection)
  assert.deepEqual(
    [...ends.values()],
    [
      { end: 10, topicId: 'id of orders' },
      { end: 7, topicId: 'id of orders' },
    ],
  )
  assert.deepEqual(behindOpenTransaction, [{ topic: 'orders', partition: 1, records: 5 }])
  assert.equal(unknown.size, 0)
})

test('partitions and topics that the cluster does not tell of are named, never left out in silence', async () => {
  const cluster = new Cluster()
  cluster.topics.push(described('secret', 0, { error: 'TOPIC_AUTHORIZATION_FAILED' }))
  cluster.stable.set(at(0), 10)
  cluster.failed.set(at(1), 'LEADER_NOT_AVAILABLE')
  const selection = { fingerprint: '', names: undefined, matches: () => true }
  const { unknown } = await captureTargets(cluster.kafka, selection)
  assert.deepEqual(
    [...unknown].map(([partition, { code }]) => [partitionName(partition), code]),
    [
      ['orders-1', 'KAFKA_GAVE_UP'],
      ['secret-0', 'KAFKA_AUTH'],
    ],
  )
})

function wait(cluster: Cluster, more: Partial<TargetsDeps> = {}, end = 10) {
  const clock = new ManualClock()
  const targets: OnceTargets = {
    ends: new PartitionMap([0, 1].map(n => [at(n), { end, topicId: 'id of orders' }] as const)),
    unknown: new PartitionMap(),
    behindOpenTransaction: [],
  }
  const gone: string[] = []
  let isOver = false
  const reached = targetsReached(targets, {
    kafka: cluster.kafka,
    groupId: 'g',
    archiveId: 'ours',
    clock,
    ownEnds: () => new PartitionMap(),
    isStopped: () => false,
    onLeftOut: partition => void gone.push(`${partitionName(partition)} left out`),
    onStoppedElsewhere: (partition, code) => void gone.push(`${partitionName(partition)} ${code}`),
    patienceMs: 1_000,
    othersSinceMs: () => undefined,
    onNotShared: partition => void gone.push(`${partitionName(partition)} not shared`),
    isHeld: () => false,
    onGone: partition => void gone.push(partitionName(partition)),
    signal: new AbortController().signal,
    ...more,
  })
  const over = reached.finally(() => (isOver = true))
  over.catch(() => undefined)
  /** True once the wait is over; some looks later. */
  const isOverAfter = async (looks: number) => {
    for (let n = 0; n < looks; n++) {
      await settle()
      clock.advance(300)
    }
    await settle()
    return isOver
  }
  return { over, isOverAfter, gone, clock }
}

test('--once is over when the group has committed every end, whoever did it', async () => {
  const cluster = new Cluster()
  const { over, isOverAfter } = wait(cluster)
  cluster.commit(0, 10)
  cluster.commit(1, 9)
  assert.equal(await isOverAfter(3), false)
  cluster.commit(1, 11)
  assert.equal(await isOverAfter(1), true)
  await over
})

test('a commit counts for our own partitions only as far as the store bears it out', async () => {
  const cluster = new Cluster()
  cluster.commit(0, 10)
  cluster.commit(1, 10)
  const own = new PartitionMap<number>([[at(1), -1]])
  const { isOverAfter } = wait(cluster, { ownEnds: () => own })
  assert.equal(await isOverAfter(3), false, 'before the end of its files is known')
  own.set(at(1), 9)
  assert.equal(await isOverAfter(3), false, 'when files are gone')
  own.set(at(1), 10)
  assert.equal(await isOverAfter(1), true)
})

test('commits of another incarnation and of other programs do not count; of another archive, they are refused', async () => {
  const cluster = new Cluster()
  cluster.commit(0, 10)
  cluster.commit(1, 99, { topicId: 'of a topic that was deleted' })
  const first = wait(cluster)
  assert.equal(await first.isOverAfter(3), false)
  cluster.committed.set(at(1), { offset: 99, metadata: '' })
  assert.equal(await first.isOverAfter(3), false)
  cluster.commit(1, 99, { archiveId: 'theirs' })
  assert.equal(await first.isOverAfter(1), true)
  await assert.rejects(first.over, { code: 'FOREIGN_ARCHIVE' })
})

test('a partition that stopped here is not waited for, and that is told', async () => {
  const cluster = new Cluster()
  const { isOverAfter, gone } = wait(cluster, { isStopped: ({ partition }) => partition === 1 })
  assert.equal(await isOverAfter(2), false)
  cluster.commit(0, 10)
  assert.equal(await isOverAfter(1), true)
  assert.deepEqual(gone, ['orders-1 left out'])
})

test('a partition that another worker cannot go on with is given up after a while, and named', async () => {
  const cluster = new Cluster()
  cluster.commit(0, 10)
  cluster.commit(1, 5, { stopped: 'TILE_CONFLICT' })
  const own = new PartitionMap<number>()
  const { isOverAfter, gone } = wait(cluster, { ownEnds: () => own })
  assert.equal(await isOverAfter(3), false, 'it may come to us')
  own.set(at(1), -1)
  assert.equal(await isOverAfter(10), false, 'it came to us')
  own.delete(at(1))
  assert.equal(await isOverAfter(3), false, 'it moved on')
  cluster.commit(1, 5)
  assert.equal(await isOverAfter(10), false, 'it goes on')
  cluster.commit(1, 5, { stopped: 'TILE_CONFLICT', topicId: 'of a topic that was deleted' })
  assert.equal(await isOverAfter(10), false, 'the note speaks of another topic')
  cluster.commit(1, 5, { stopped: 'TILE_CONFLICT' })
  assert.equal(await isOverAfter(5), true)
  assert.deepEqual(gone, ['orders-1 TILE_CONFLICT'])
})

test('a partition that another worker could not even begin with is given up and named, an empty one as well', async () => {
  const cluster = new Cluster()
  for (const n of [0, 1])
    cluster.committed.set(at(n), {
      offset: 0,
      metadata: encodeCommitNote(noteOfNothing('ours', 'id of orders', 'STORAGE_REFUSED')),
    })
  const { isOverAfter, gone } = wait(cluster, {}, 0)
  assert.equal(await isOverAfter(3), false)
  assert.equal(await isOverAfter(5), true)
  assert.deepEqual(gone, ['orders-0 STORAGE_REFUSED', 'orders-1 STORAGE_REFUSED'])
})

test('a partition that the group does not share out is given up after a while, and named', async () => {
  const cluster = new Cluster()
  const own = new PartitionMap<number>([[at(0), -1]])
  let since: number | undefined
  const { isOverAfter, gone, clock } = wait(cluster, { ownEnds: () => own, othersSinceMs: () => since })
  assert.equal(await isOverAfter(10), false, 'the group agrees')
  since = clock.monotonic()
  assert.equal(await isOverAfter(2), false, 'the leader may be about to be started again')
  since = undefined
  assert.equal(await isOverAfter(10), false, 'it was')
  since = clock.monotonic()
  assert.equal(await isOverAfter(10), false, 'what is ours goes on')
  assert.deepEqual(gone, ['orders-1 not shared'])
  cluster.commit(0, 10)
  own.set(at(0), 10)
  assert.equal(await isOverAfter(1), true)
})

for (const [what, topics] of [
  ['deleted', []],
  ['created again', [described('orders', 2, { topicId: 'another' })]],
] as const) {
  test(`partitions of a topic that was ${what} are given up, and named`, async () => {
    const cluster = new Cluster()
    cluster.commit(0, 10)
    const { isOverAfter, gone } = wait(cluster)
    assert.equal(await isOverAfter(3), false)
    cluster.topics = [...topics]
    assert.equal(await isOverAfter(11), true)
    assert.deepEqual(gone, ['orders-1'])
  })
}

test('a topic that a restore begins to fill is not waited for', async () => {
  const cluster = new Cluster()
  cluster.topics.push(described('copies', 1))
  let isHeld = false
  const { isOverAfter, gone } = wait(cluster, { isHeld: topic => isHeld && topic === 'orders' })
  assert.equal(await isOverAfter(25), false)
  isHeld = true
  assert.equal(await isOverAfter(11), true)
  assert.deepEqual(gone, [], 'it is there, and the result names it as held')
})

test('a topic that the cluster does not tell of for the moment is not gone', async () => {
  const cluster = new Cluster()
  const { isOverAfter, gone } = wait(cluster)
  cluster.topics = [described('orders', 0, { topicId: undefined, error: 'TOPIC_AUTHORIZATION_FAILED' })]
  assert.equal(await isOverAfter(25), false)
  assert.deepEqual(gone, [])
})

test('the wait ends when it is told to', async () => {
  const control = new AbortController()
  const { over, isOverAfter } = wait(new Cluster(), { signal: control.signal })
  assert.equal(await isOverAfter(1), false)
  control.abort(new Error('stop'))
  await assert.rejects(over, { message: 'stop' })
})

test('who was not waited for stays in the result, although it goes on in the end; others that go on do not', () => {
  const tally = new BackupTally()
  for (const n of [0, 1, 2]) tally.stopped(at(n), new MaxbrodError('KAFKA_GAVE_UP', 'no leader'))
  tally.leaveOut(at(1))
  for (const n of [0, 1]) tally.resumed(at(n))
  const { result, stopped } = tally.result([])
  assert.deepEqual(
    [result, stopped.map(({ partition, code }) => [partition, code])],
    [
      'partial',
      [
        [1, 'KAFKA_GAVE_UP'],
        [2, 'KAFKA_GAVE_UP'],
      ],
    ],
  )
})
