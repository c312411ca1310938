import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Committer } from '../../src/backup/resume/committer.ts'
import { backupOptions } from '../../src/backup/options.ts'
import type { Verdict } from '../../src/backup/reading/partition-deps.ts'
import { Partitions } from '../../src/backup/partition/partitions.ts'
import { DiskRoom } from '../../src/backup/spool/disk-room.ts'
import type { SpoolHead } from '../../src/backup/spool/spool-notes.ts'
import { BackupTally } from '../../src/backup/result.ts'
import type { GroupSession, Ownership } from '../../src/kafka/port/membership.ts'
import type { OffsetKind } from '../../src/kafka/port/admin.ts'
import type { Disk } from '../../src/runtime/disk.ts'
import { MaxbrodError } from '../../src/runtime/errors.ts'
import { PartitionMap } from '../../src/runtime/topic-partition.ts'
import { eventually } from '../helpers/eventually.ts'
import { openLonePartition } from '../helpers/lone-partition.ts'
import { optionsOf } from '../helpers/options.ts'

const oldId = 'AAAAAAAAAAAAAAAAAAAAAA'
const newId = 'BBBBBBBBBBBBBBBBBBBBBA'
const nothing = () => undefined
const leftTile: SpoolHead = {
  uploadId: '0'.repeat(32),
  clusterId: 'cluster',
  archiveId: 'archive',
  group: 'maxbrod',
  topic: 'orders',
  topicId: oldId,
  partition: 0,
  from: 0,
  origin: 0,
  openedAtMs: 0,
}

/** Partitions of a worker at a cluster whose answers are the test's. */
async function openPartitions(
  cluster: {
    topicId: string
    readonly offset: (kind: OffsetKind) => number
    readonly committed?: () => void
  },
  disk: (real: Disk) => Disk = real => real,
) {
  const lone = await openLonePartition({ disk })
  const offsets = (kind: OffsetKind, partitions: readonly Ownership[]) =>
    Promise.resolve({
      offsets: new PartitionMap(partitions.map(one => [one, cluster.offset(kind)])),
      failed: new PartitionMap(),
    })
  const kafka = {
    ...lone.context.kafka,
    routes: {
      leader: () => ({ nodeId: 1, leaderEpoch: 0, topicId: cluster.topicId }),
      refresh: () => Promise.resolve(),
    },
    admin: {
      offsets,
      committed() {
        cluster.committed?.()
        return Promise.resolve(new PartitionMap())
      },
    },
  } as unknown as typeof lone.context.kafka
  const log = Object.assign(Object.create(lone.context.log) as typeof lone.context.log, {
    child: () => lone.context.log,
  })
  const owned: Ownership[] = []
  const session = {
    owned,
    commit: (asked: Parameters<GroupSession['commit']>[0]) =>
      Promise.resolve(new PartitionMap(asked.map(({ ownership }) => [ownership, 'committed' as const]))),
  } as unknown as GroupSession
  const troubles: unknown[] = []
  const fatal: unknown[] = []
  const tally = new BackupTally()
  let verdict: Verdict = 'try again'
  const partitions = new Partitions({
    context: { ...lone.context, kafka, log },
    memory: lone.memory,
    press: lone.press,
    room: new DiskRoom({
      files: lone.context.spool.files,
      probePath: lone.context.spool.probePath,
      clock: lone.clock,
      log,
      policy: 'pause',
      relieve: nothing,
      onFatal: nothing,
    }),
    committer: new Committer(Promise.resolve(session), lone.clock),
    tally,
    options: optionsOf(backupOptions),
    session: Promise.resolve(session),
    targetOf: nothing,
    onTrouble(trouble) {
      troubles.push(trouble)
      return Promise.resolve(verdict)
    },
    onFatal: error => void fatal.push(error),
    onRecords: nothing,
    onUploaded: nothing,
  })
  return {
    partitions,
    troubles,
    fatal,
    tally,
    ownership: { topic: 'orders', partition: 0, ended: new AbortController().signal },
    owned,
    spool: lone.context.spool,
    log: lone.log,
    giveUp: () => void (verdict = 'stop'),
    async [Symbol.asyncDispose]() {
      await partitions.close(false)
      await lone[Symbol.asyncDispose]()
    },
  }
}

test('a topic that is created anew while its partitions are started is backed up from its own beginning', async () => {
  let asked = 0
  const cluster = {
    topicId: oldId,
    // What the old topic answers is the last it says: retention has taken its first 3000 records.
    offset(kind: OffsetKind) {
      if (cluster.topicId === newId) return kind === 'log start' ? 0 : 5_000
      if (++asked === 2) cluster.topicId = newId
      return 3_000
    },
  }
  await using opened = await openPartitions(cluster)
  const { partitions, ownership, fatal, troubles } = opened
  partitions.start([ownership])
  await eventually('the partition is read', () => [...partitions.all].length === 1, { everyMs: 1 })
  const [partition] = partitions.all
  assert.deepEqual([partition!.identity.topicId, partition!.startedAt], [newId, 0])
  assert.deepEqual({ fatal, troubles }, { fatal: [], troubles: [] })
})

test('a cluster that cannot be asked when partitions are assigned ends no worker', async () => {
  let failures = 3
  await using opened = await openPartitions({
    topicId: oldId,
    offset: () => 0,
    committed() {
      if (failures-- > 0) throw new MaxbrodError('KAFKA_GAVE_UP', 'no coordinator')
    },
  })
  const { partitions, ownership, fatal, troubles } = opened
  partitions.start([ownership])
  await eventually('the partition is read', () => [...partitions.all].length === 1, { everyMs: 1 })
  assert.deepEqual({ fatal, troubles: troubles.length }, { fatal: [], troubles: 3 })
})

test('partitions that --once cannot begin to read are left out, and said', async () => {
  await using opened = await openPartitions({
    topicId: oldId,
    offset: () => 0,
    committed() {
      throw new MaxbrodError('KAFKA_GAVE_UP', 'no coordinator')
    },
  })
  const { partitions, ownership, fatal, tally } = opened
  opened.giveUp()
  partitions.start([ownership])
  await eventually('the partition is given up', () => tally.isStopped(ownership), { everyMs: 1 })
  assert.deepEqual(fatal, [])
})

test('a partition that went and came back while it was opened is read by whoever has it now, however late the first opening ends', async () => {
  const reading = Promise.withResolvers<void>()
  const slow = Promise.withResolvers<undefined>()
  const read: Disk['read'] = path => {
    if (path.endsWith('.notes')) reading.resolve()
    return slow.promise
  }
  const cluster = { topicId: oldId, offset: () => 0 }
  await using opened = await openPartitions(cluster, real => ({ ...real, read }))
  const { partitions, spool, log, ownership, fatal, troubles } = opened
  spool.leave([leftTile])
  const end = new AbortController()
  partitions.start([{ ...ownership, ended: end.signal }])
  await reading.promise
  end.abort()
  partitions.start([ownership])
  await eventually('the partition is read', () => [...partitions.all].length === 1, { everyMs: 1 })
  slow.resolve(undefined)
  const begun = () => log.filter(({ message }) => message === 'backing up').length
  await eventually('the first opening has ended, too', () => begun() === 2, { everyMs: 1 })
  await new Promise(resolve => setImmediate(resolve))
  assert.deepEqual(
    [...partitions.all].map(one => one.ownership === ownership),
    [true],
  )
  assert.deepEqual({ fatal, troubles }, { fatal: [], troubles: [] })
})

test('a flush names partitions that could not be begun with and have something in the spool, and no others', async () => {
  await using opened = await openPartitions({
    topicId: oldId,
    offset: () => 0,
    committed() {
      throw new MaxbrodError('KAFKA_GAVE_UP', 'no coordinator')
    },
  })
  const { partitions, owned, spool, ownership, tally } = opened
  opened.giveUp()
  owned.push(ownership, { ...ownership, partition: 1 })
  partitions.start(owned)
  await eventually('the partition is not begun with', () => tally.isStopped(ownership), { everyMs: 1 })
  assert.deepEqual(await partitions.flush('the test'), [])
  spool.leave([leftTile, { ...leftTile, partition: 2 }])
  const reason = 'what the spool holds of it waits until it can be begun with'
  assert.deepEqual(await partitions.flush('the test'), [{ topic: 'orders', partition: 0, reason }])
})

test('a flush waits for a partition that is being opened: its part of the spool is taken already', async () => {
  const reading = Promise.withResolvers<void>()
  const slow = Promise.withResolvers<undefined>()
  const read: Disk['read'] = path => {
    if (path.endsWith('.notes')) reading.resolve()
    return slow.promise
  }
  await using opened = await openPartitions({ topicId: oldId, offset: () => 0 }, real => ({ ...real, read }))
  const { partitions, owned, spool, ownership } = opened
  owned.push(ownership)
  spool.leave([leftTile])
  partitions.start(owned)
  await reading.promise
  let begun: number | undefined
  const flushing = partitions.flush('the test').then(left => ((begun = [...partitions.all].length), left))
  await new Promise(resolve => setImmediate(resolve))
  assert.equal(begun, undefined)
  slow.resolve(undefined)
  assert.deepEqual([await flushing, begun], [[], 1])
})
