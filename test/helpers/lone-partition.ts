import { Vitals } from '../../src/observe/vitals.ts'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Committer } from '../../src/backup/resume/committer.ts'
import type { Divergence } from '../../src/backup/resume/lineage.ts'
import { WorkerMemory } from '../../src/backup/memory.ts'
import { PartitionBackup } from '../../src/backup/partition/partition.ts'
import type { PartitionDeps, PartitionOptions } from '../../src/backup/reading/partition-deps.ts'
import type { ResumePoint } from '../../src/backup/resume/resume.ts'
import { Spool } from '../../src/backup/spool/spool.ts'
import { noTopicRules } from '../../src/backup/topics/topic-rules.ts'
import { newUploadSlots } from '../../src/backup/chain/upload-slots.ts'
import type { UploadedTile } from '../../src/backup/chain/uploaded-tile.ts'
import type { BatchCodec } from '../../src/format/batch/record-batch.ts'
import { codecBits } from '../../src/format/batch/record-batch.ts'
import { BlockPress } from '../../src/format/ocf/block-press.ts'
import { kindOf } from '../../src/kafka/kafka-errors.ts'
import type { KafkaErrorName } from '../../src/kafka/kafka-errors.ts'
import type { FetchPartition, FetchedBatches, FetchedPartition } from '../../src/kafka/port/fetching.ts'
import type { GroupSession, Ownership } from '../../src/kafka/port/membership.ts'
import type { Kafka } from '../../src/kafka/port.ts'
import type { OffsetKind } from '../../src/kafka/port/admin.ts'
import type { Logger } from '../../src/observe/logger.ts'
import { Metrics } from '../../src/observe/metrics.ts'
import { silentProgress } from '../../src/observe/progress.ts'
import type { Disk } from '../../src/runtime/disk.ts'
import { nodeDisk } from '../../src/runtime/node-disk.ts'
import { systemRandom } from '../../src/runtime/random.ts'
import { PartitionMap } from '../../src/runtime/topic-partition.ts'
import { newMemoryStore } from '../../src/storage/memory.ts'
import { CountingPool } from './counting-pool.ts'
import { ManualClock } from './manual-clock.ts'
import { atTheOrigin } from './open-chain.ts'
import { encodeBatch } from './plain-batch.ts'

const topicId = 'AAAAAAAAAAAAAAAAAAAAAA'
const where = { topic: 'orders', partition: 0 }
const nothing = () => undefined

export interface LonePartitionOptions {
  readonly options?: Partial<PartitionOptions>
  readonly resume?: Partial<ResumePoint>
  readonly deps?: Partial<PartitionDeps>
  readonly disk?: (real: Disk) => Disk
}

/** One partition of a backup whose answers from Kafka are the test's; the store is in memory, the spool on the disk. */
export async function openLonePartition({ options, resume, deps, disk = real => real }: LonePartitionOptions = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'maxbrod-partition-'))
  const clock = new ManualClock()
  const pool = new CountingPool()
  const store = newMemoryStore()
  const end = new AbortController()
  const ownership: Ownership = { ...where, ended: end.signal }
  const log: { level: string; message: string }[] = []
  const logger = Object.fromEntries(
    ['debug', 'info', 'warn', 'error'].map(level => [
      level,
      (_facts: object, message: string) => void log.push({ level, message }),
    ]),
  ) as unknown as Logger
  /** What the cluster says when it is asked; a test may change it at any time. */
  const cluster = {
    offsets: { 'log start': 0, 'local log start': 0, 'high watermark': 0, 'last stable': 0, 'log end': 0 } as Record<
      OffsetKind,
      number
    >,
    topicId: topicId as string | undefined,
    /** What every question about offsets ends in. */
    trouble: undefined as Error | undefined,
    hasLeader: true,
    reconnects: 0,
    /** What a fetch that the partition makes by itself brings. */
    fetch: (_offset: number): Pick<FetchedBatches, 'partitions'> & Disposable => {
      throw new Error('nobody expected a fetch')
    },
    refreshes: 0,
  }
  const kafka = {
    routes: {
      leader: () => (cluster.hasLeader ? { nodeId: 1, leaderEpoch: 0, topicId: cluster.topicId } : undefined),
      refresh: () => Promise.resolve(void cluster.refreshes++),
    },
    fetcher: {
      reconnect: () => void cluster.reconnects++,
      fetch: (_nodeId: number, [{ offset }]: readonly [FetchPartition]) => Promise.resolve(cluster.fetch(offset)),
    },
    admin: {
      offsets: (kind: OffsetKind) =>
        cluster.trouble === undefined
          ? Promise.resolve({ offsets: new PartitionMap([[where, cluster.offsets[kind]]]), failed: new PartitionMap() })
          : Promise.reject(cluster.trouble),
    },
  } as unknown as Kafka
  const committed: number[] = []
  const session = {
    commit(offsets: Parameters<GroupSession['commit']>[0]) {
      committed.push(...offsets.map(({ offset }) => offset))
      return Promise.resolve(new PartitionMap(offsets.map(({ ownership: of }) => [of, 'committed' as const])))
    },
  } as unknown as GroupSession
  const uploaded: UploadedTile[] = []
  const troubles: unknown[] = []
  const stopped: unknown[] = []
  const diverged: Divergence[] = []
  const seen = { replaced: 0 }
  const memory = new WorkerMemory(64 * 1024 * 1024)
  const press = new BlockPress(1)
  const archive = { clusterId: 'cluster', archiveId: 'archive', createdAt: '2026-11-21T12:00:00.000Z' }
  const spool = new Spool({ disk: disk(nodeDisk), folder, clock, log: logger, group: 'maxbrod', maxOpenFiles: 8 })
  const context = {
    kafka,
    archive,
    store,
    disk: disk(nodeDisk),
    spool,
    clock,
    random: systemRandom,
    log: logger,
    metrics: new Metrics(),
    vitals: new Vitals(clock),
    progress: silentProgress,
    pool,
    writer: 'maxbrod test',
    rules: noTopicRules,
    seal: undefined,
    groupId: 'maxbrod',
  }
  const partition = new PartitionBackup(
    {
      place: { ...where, topicId: undefined, lineage: undefined },
      identity: { archiveId: archive.archiveId, clusterId: archive.clusterId, topicId, lineage: undefined },
      ownership,
      resume: { ...atTheOrigin, ...resume },
      options: {
        minFileSize: 5 * 1024 * 1024,
        maxFileSize: undefined,
        maxFileRecords: undefined,
        maxFileAge: 300_000,
        idleAfter: 5_000,
        onCorrupt: 'stop',
        ...options,
      },
      spooled: [],
    },
    {
      context,
      memory,
      press,
      committer: new Committer(Promise.resolve(session), clock),
      log: logger,
      uploads: newUploadSlots(),
      onUploaded: tile => void uploaded.push(tile),
      onTrouble(trouble) {
        troubles.push(trouble)
        return Promise.resolve('stop')
      },
      onStopped: error => void stopped.push(error),
      onTopicReplaced: () => void seen.replaced++,
      onDiverged: divergence => void diverged.push(divergence),
      onRecords: nothing,
      isDiskFull: () => false,
      onDiskFull: nothing,
      ...deps,
    },
  )
  return {
    partition,
    context,
    clock,
    pool,
    store,
    memory,
    press,
    cluster,
    committed,
    uploaded,
    troubles,
    stopped,
    diverged,
    seen,
    log,
    end,
    async [Symbol.asyncDispose]() {
      end.abort()
      await partition.discard()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** A batch of as many records, with values of `bytes` each. */
export function batchAt(
  baseOffset: number,
  records: number,
  {
    bytes = 10,
    codec = 'none',
    encodePayload,
    leaderEpoch = 0,
  }: {
    readonly bytes?: number
    readonly codec?: BatchCodec
    readonly encodePayload?: (plain: Buffer) => Buffer
    readonly leaderEpoch?: number
  } = {},
): Buffer {
  const list = Array.from({ length: records }, (_, index) => ({
    offset: BigInt(baseOffset + index),
    timestamp: 1_800_000_000_000n,
    key: null,
    value: Buffer.alloc(bytes, baseOffset + index),
    headers: [],
  }))
  return encodeBatch(list, {
    leaderEpoch,
    attributes: codecBits(codec),
    ...(encodePayload === undefined ? {} : { encodePayload }),
  })
}

/** The partition's part of a fetch answer. */
export function answerOf(
  batches: readonly Buffer[],
  { trouble, lastStableOffset = 1_000_000 }: { trouble?: KafkaErrorName; lastStableOffset?: number } = {},
): FetchedPartition {
  return {
    ...where,
    isNamedById: true,
    trouble: trouble === undefined ? undefined : { name: trouble, kind: kindOf(trouble) },
    highWatermark: lastStableOffset,
    lastStableOffset,
    logStartOffset: 0,
    aborted: [],
    records: Buffer.concat(batches),
  }
}
