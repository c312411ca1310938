import { Vitals } from '../../src/observe/vitals.ts'
import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeCommitNote } from '../../src/format/commit-note.ts'
import { Committer } from '../../src/backup/resume/committer.ts'
import type { WorkerContext } from '../../src/backup/deps.ts'
import { Intake } from '../../src/backup/reading/intake.ts'
import { WorkerMemory } from '../../src/backup/memory.ts'
import type { ResumePoint } from '../../src/backup/resume/resume.ts'
import { Spool } from '../../src/backup/spool/spool.ts'
import { noTopicRules } from '../../src/backup/topics/topic-rules.ts'
import { TileChain } from '../../src/backup/chain/tile-chain.ts'
import type { ChainDeps } from '../../src/backup/chain/chain-deps.ts'
import { newUploadSlots } from '../../src/backup/chain/upload-slots.ts'
import type { UploadedTile } from '../../src/backup/chain/uploaded-tile.ts'
import { BlockPress } from '../../src/format/ocf/block-press.ts'
import type { GroupSession, OwnedOffset } from '../../src/kafka/port/membership.ts'
import { silentLogger } from '../../src/observe/logger.ts'
import type { Disk } from '../../src/runtime/disk.ts'
import { nodeDisk } from '../../src/runtime/node-disk.ts'
import { systemRandom } from '../../src/runtime/random.ts'
import { PartitionMap } from '../../src/runtime/topic-partition.ts'
import type { ObjectStore, Seal } from '../../src/storage/port.ts'
import { CountingPool } from './counting-pool.ts'
import { plainRecords } from './data-file.ts'
import { eventually } from './eventually.ts'
import { ManualClock } from './manual-clock.ts'
import { encodeBatch } from './plain-batch.ts'
import type { DigestRecord } from './records.ts'
import { identity, place } from './tile-files.ts'

/** Where a worker begins with a partition of which nothing is in the store. */
export const atTheOrigin: ResumePoint = {
  chainEnd: 0,
  lastFrom: undefined,
  origin: 0,
  leaderEpoch: -1,
  gap: undefined,
  barrier: undefined,
  unchecked: 0,
}

export interface ChainOptions {
  readonly resume?: Partial<ResumePoint>
  /** A spool that another chain has left; it goes on with that. */
  readonly spoolFolder?: string
  readonly leaderEpoch?: number
  readonly disk?: Disk
  readonly minFileSize?: number
  readonly maxFileSize?: number
  readonly maxFileRecords?: number
  readonly seal?: Seal
  /** Of compressed blocks in memory. */
  readonly memoryBytes?: number
  /** False once the topic was created again; default never. */
  readonly isSameTopic?: () => boolean
  /** What happens after trouble; default one try after the other. */
  readonly onTrouble?: (error: unknown, tries: number) => 'try again' | 'stop'
}

/** A chain over a store of the test's, with a real spool and a group that takes every commit; and what became of it. */
export async function openChain(store: ObjectStore, options: ChainOptions = {}) {
  const { minFileSize = 1_000_000, maxFileSize, maxFileRecords, disk = nodeDisk, leaderEpoch = 7 } = options
  const { memoryBytes = 16 * 1024 * 1024, onTrouble = () => 'try again' } = options
  const folder = options.spoolFolder ?? (await mkdtemp(join(tmpdir(), 'maxbrod-chain-')))
  const clock = new ManualClock()
  const memory = new WorkerMemory(memoryBytes)
  const pool = new CountingPool()
  const press = new BlockPress(1)
  const control = new AbortController()
  const ownership = { topic: place.topic, partition: place.partition, ended: control.signal }
  const uploaded: UploadedTile[] = []
  const moved: { position: number; barrier: number | undefined }[] = []
  const troubles: unknown[] = []
  const commits: { offset: number; lastFrom: number | undefined }[] = []
  const commit = async (offsets: readonly OwnedOffset[]) => {
    if (control.signal.aborted) return new PartitionMap<'fenced'>()
    for (const { offset, metadata } of offsets) commits.push({ offset, lastFrom: decodeCommitNote(metadata)?.lastFrom })
    return new PartitionMap(offsets.map(one => [one.ownership, 'committed'] as const))
  }
  const session = Promise.resolve({ commit } as unknown as GroupSession)
  const spool = new Spool({ disk, folder, clock, log: silentLogger, group: 'maxbrod', maxOpenFiles: 8 })
  const context = {
    store,
    clock,
    disk,
    random: systemRandom,
    spool,
    groupId: 'maxbrod',
    vitals: new Vitals(clock),
    writer: 'a test',
    rules: noTopicRules,
    seal: options.seal,
  }
  const resume = { ...atTheOrigin, ...options.resume }
  await spool.open()
  const ours = { ...identity, archiveId: 'ours' }
  const limit = resume.barrier ?? Infinity
  const spooled = await spool.take(place, ours, { from: resume.chainEnd, limit, leaderEpoch })
  const limits = { minFileSize, maxFileSize, maxFileRecords, maxFileAge: 5_000 }
  const chainDeps: ChainDeps = {
    context: context as unknown as WorkerContext,
    memory,
    press,
    committer: new Committer(session, clock),
    uploads: newUploadSlots(),
    log: silentLogger,
    leaderEpoch: () => leaderEpoch,
    lastEpoch: () => intake.lastBatch.leaderEpoch,
    onDiskFull: error => void troubles.push(error),
    isSameTopic: () => Promise.resolve(options.isSameTopic?.() ?? true),
    onUploaded: tile => void uploaded.push(tile),
    onMoved(position, barrier) {
      moved.push({ position, barrier })
      intake.reset(position)
    },
    onTrouble: async error => {
      troubles.push(error)
      return onTrouble(error, troubles.length)
    },
  }
  const chain = new TileChain(place, ours, ownership, resume, limits, chainDeps, spooled)
  const intake = new Intake(chain.end, {
    pool,
    memory,
    press,
    bounds: () => chain.bounds,
    onBlock: (block, coversTo, onReleased) => chain.add(block, coversTo, intake.lastBatch, onReleased),
  })
  let isLeft = false
  return {
    chain,
    clock,
    vitals: context.vitals,
    uploaded,
    moved,
    troubles,
    commits,
    position: () => intake.position,
    /** Takes these records, as if they had been fetched. */
    take: (records: readonly DigestRecord[]) => intake.take({ records: encodeBatch(records), aborted: [] }, Infinity),
    /** Takes records up to `to`, as if they had been fetched; none of them lie below `from`. */
    async read(to: number, from = intake.position) {
      await intake.take({ records: encodeBatch(plainRecords(to - from, from)), aborted: [] }, Infinity)
      intake.sealOpenBlock()
    },
    /** The same, and a tile of it. */
    async readTile(to: number) {
      await this.read(to)
      chain.close(to, 'the test says so')
    },
    seal: () => intake.sealOpenBlock(),
    /** Ends as at a restart; what was read lies in the spool, and stays there when this is disposed of. */
    async leave() {
      control.abort(new Error('left'))
      await chain.leave()
      isLeft = true
    },
    /** Takes the partition away. */
    lose: () => control.abort(new Error('lost')),
    skipTo: (position: number) => intake.skipTo(position),
    spoolFolder: folder,
    spoolFiles: () => readdir(folder),
    async [Symbol.asyncDispose]() {
      control.abort(new Error('over'))
      await chain.discard()
      const isFree = () => pool.taken === 0 && memory.budget.usedBytes === 0 && memory.spool.usedBytes === 0
      await eventually('all memory is given back', isFree)
      if (!isLeft) assert.deepEqual(await readdir(folder), [], 'spool files that were left')
      if (options.spoolFolder === undefined) await rm(folder, { recursive: true })
    },
  }
}
