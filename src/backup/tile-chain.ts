import { walkChain } from '../catalog/chain-walk.ts'
import { tileKey } from '../format/keys.ts'
import type { PartitionPlace } from '../format/keys.ts'
import type { Gap } from '../format/tile-header.ts'
import type { BlockPress } from '../format/ocf/block-press.ts'
import type { AvroBlock } from '../format/transcode/avro-block.ts'
import type { BlockBounds } from '../format/transcode/to-avro.ts'
import type { Ownership } from '../kafka/port.ts'
import type { Logger } from '../observe/logger.ts'
import { MaxbrodError, isMaxbrodError } from '../runtime/errors.ts'
import { ChainCommits } from './chain-commits.ts'
import type { Committer } from './committer.ts'
import type { WorkerContext } from './deps.ts'
import type { PartitionIdentity } from './identity.ts'
import type { WorkerMemory } from './memory.ts'
import type { ResumePoint } from './resume.ts'
import { blockBounds, rotate, rotateBefore } from './rotation.ts'
import type { DraftState, RotationLimits } from './rotation.ts'
import type { SpoolHead } from './spool-notes.ts'
import type { SpooledTile } from './spooled-tile.ts'
import { TileDraft } from './tile-draft.ts'
import type { BatchFacts, DraftOptions } from './tile-draft.ts'
import { uploadTile } from './tile-upload.ts'
import type { TileUpload } from './tile-upload.ts'
import type { UploadSlots } from './upload-slots.ts'
import type { UploadedTile } from './uploaded-tile.ts'

export interface ChainDeps {
  readonly context: WorkerContext
  readonly memory: WorkerMemory
  readonly press: BlockPress
  readonly committer: Committer
  /** Bounds how many tiles are uploaded at the same time. */
  readonly uploads: UploadSlots
  readonly log: Logger
  readonly onUploaded: (tile: UploadedTile) => void
  /** Leader epoch of what lies before the position that was read up to; −1 when unknown. */
  readonly lastEpoch: () => number
  /** False when the topic is another one by now: then nothing more is uploaded. Asked after all of a tile was read. */
  readonly isSameTopic: () => Promise<boolean>
  /**
   * The store was ahead of us, or the spool was lost: reading goes on at `position`, up to `barrier`. What was read and not
   * handed over yet must be dropped before this returns.
   */
  readonly onMoved: (position: number, barrier: number | undefined) => void
  /** An upload failed. Waits if there is a point in it, and says whether to go on. */
  readonly onTrouble: (error: unknown) => Promise<'try again' | 'stop'>
  /** The disk has no room for more: what came last is held in memory. */
  readonly onDiskFull: (error: unknown) => void
  /** Epoch of the partition's leader now. */
  readonly leaderEpoch: () => number
}

interface ClosedTile {
  readonly draft: TileDraft
  readonly reason: string
  readonly closedAtMs: number
}

/**
 * The tiles of one partition on their way to the store: one that is being filled and those that wait for their upload. One
 * PUT at a time, and only when the tile before is known to be durable; then the commit. kill -9 between the two is mended by
 * the next worker, which finds the tile and commits its end.
 */
export class TileChain {
  readonly #place: PartitionPlace
  readonly #identity: PartitionIdentity
  readonly #ownership: Ownership
  readonly #limits: RotationLimits
  readonly #deps: ChainDeps
  readonly #commits: ChainCommits
  readonly #upload: TileUpload
  #draft: TileDraft | undefined
  #closed: ClosedTile[] = []
  /** The offset behind the last tile known to be durable, and where that tile begins. */
  #durableTo: number
  #lastFrom: number | undefined
  #barrier: number | undefined
  #isUploading = false
  #uploading = Promise.resolve()
  /** Spool files of dropped tiles on their way out. */
  #removing = Promise.resolve()
  #isOver = false

  constructor(
    place: PartitionPlace,
    identity: PartitionIdentity,
    ownership: Ownership,
    resume: ResumePoint,
    limits: RotationLimits,
    deps: ChainDeps,
    spooled: readonly SpooledTile[] = [],
  ) {
    this.#place = place
    this.#identity = identity
    this.#ownership = ownership
    this.#limits = limits
    this.#deps = deps
    this.#durableTo = resume.chainEnd
    this.#lastFrom = resume.lastFrom
    this.#barrier = resume.barrier
    const { origin } = resume
    const { committer, log, context } = deps
    const { store, writer, rules } = context
    const { keeping } = rules.of(place.topic)
    this.#commits = new ChainCommits(resume.chainEnd, { place, identity, ownership, origin, committer, log })
    this.#upload = { store, place, identity, origin, writer, keeping, ended: ownership.ended }
    for (const tile of spooled) this.#resume(tile)
  }

  /** The offset behind all that it has: what is durable, and the tiles on their way there. */
  get end(): number {
    return this.#draft?.to ?? this.#closed.at(-1)?.draft.to ?? this.#durableTo
  }

  /** Of the last batch in it. */
  get lastBatch(): BatchFacts {
    const { leaderEpoch = -1, batchCodec } = this.#drafts.at(-1) ?? {}
    return { leaderEpoch, codec: batchCodec }
  }

  /** Tiles that are complete and not yet durable: a partition far ahead of its uploads should read no more. */
  get waiting(): number {
    return this.#closed.length
  }

  /** The offset that the group knows to be durable. */
  get committedTo(): number {
    return this.#commits.committedTo
  }

  /** Bytes in the spool of the tile that is being filled. */
  get openBytes(): number {
    return this.#draft?.spool.bytes ?? 0
  }

  /** Bytes in the spool, those of tiles that wait for their upload among them. */
  get spooledBytes(): number {
    return this.#drafts.reduce((sum, { spool }) => sum + spool.bytes, 0)
  }

  /** Age of the oldest tile that is not durable, in ms; 0 when there is none. */
  get oldestAgeMs(): number {
    const [oldest] = this.#drafts
    return oldest === undefined ? 0 : this.#deps.context.clock.monotonic() - oldest.openedAtMs
  }

  /** In how many ms the oldest tile is closed at the latest; 0 when it is. */
  get dueInMs(): number {
    return this.#closed.length > 0 ? 0 : Math.max(0, this.#limits.maxFileAge - this.ageMs)
  }

  /** Tells the group where the chain ends, before anything new is added to it. */
  async commitStart(): Promise<void> {
    await this.#commits.commit(this.#durableTo, this.#lastFrom, -1)
    if (this.#closed.length > 0) this.#startUploading()
  }

  /** From now on tiles are only uploaded. */
  commitNoMore(): void {
    this.#commits.end()
  }

  /** Takes a finished block, whose records lie below `coversTo`. */
  add(block: AvroBlock, coversTo: number, batch: BatchFacts, onReleased: () => void): void {
    if (this.#isOver) {
      block.release()
      onReleased()
      return
    }
    if (this.#draft !== undefined) {
      const reason = rotateBefore(this.#draft, block, this.#limits)
      if (reason !== undefined) this.close(this.#draft.to, reason)
    }
    this.#openDraft().add(block, coversTo, batch, this.#deps.leaderEpoch(), onReleased)
    this.#rotateByContent()
  }

  /** Declares offsets that Kafka no longer has. They begin a tile of their own, so what came before is closed first. */
  addGap(gap: Gap): void {
    if (this.#isOver) return
    this.close(gap.from, 'a gap follows')
    this.#openDraft().addGap(gap)
  }

  /** Notes that everything below `position` was read: a tile that covers it begins to age, records or not. */
  covered(position: number): void {
    if (position > this.end && !this.#isOver) this.#openDraft()
  }

  /** Closes the tile when it is due; `position` is what it covers if nothing is open in front of it. */
  rotate(position: number, hasOpenBlock: boolean): void {
    const draft = this.#draft
    if (draft === undefined) return
    const to = hasOpenBlock ? draft.to : position
    const ageMs = this.#deps.context.clock.monotonic() - draft.openedAtMs
    const reason = rotate(stateOf(draft, to, ageMs), this.#limits)
    if (reason !== undefined) this.close(to, reason)
  }

  /** Gives back what the tile that is being filled holds in memory and open files: nothing comes for a while. */
  rest(): void {
    this.#draft?.rest()
  }

  /** What the next block may hold. */
  get bounds(): BlockBounds {
    return blockBounds(this.#draft, this.#limits)
  }

  /** Age of the tile that is being filled, in ms; 0 when there is none. */
  get ageMs(): number {
    return this.#draft === undefined ? 0 : this.#deps.context.clock.monotonic() - this.#draft.openedAtMs
  }

  /** Completes the tile that is being filled, up to `to`, and has it uploaded. */
  close(to: number, reason: string): void {
    this.covered(to)
    const draft = this.#draft
    if (draft === undefined) return
    this.#draft = undefined
    if (to > draft.to) draft.cover(to, this.#deps.lastEpoch())
    draft.close(reason)
    this.#closed.push({ draft, reason, closedAtMs: this.#deps.context.clock.monotonic() })
    this.#startUploading()
  }

  /** Resolves when everything closed so far is durable and committed, or the partition is no longer ours. */
  async drained(): Promise<void> {
    while (this.#isUploading) await this.#uploading
  }

  /** Resolves when all below `offset` is committed, or nothing is uploaded any more: because all is, or the chain cannot go on. */
  async reached(offset: number): Promise<void> {
    while (this.#isUploading && this.committedTo < offset) await Promise.race([this.#uploading, this.#commits.next])
  }

  /** Ends the chain here, and leaves what is not durable to whoever has the partition next: this worker, perhaps. */
  async leave(): Promise<void> {
    this.#isOver = true
    const drafts = this.#drafts
    this.#closed = []
    this.#draft = undefined
    for (const draft of drafts) {
      if (await draft.leave()) this.#deps.context.spool.leave([draft.head])
      else this.#remove([draft])
    }
    await this.#removing
  }

  /** Ends the chain here: what is not durable is forgotten, nothing is taken any more. Kafka still has it. */
  async discard(): Promise<void> {
    this.#isOver = true
    this.#dropDrafts()
    await this.#removing
  }

  get #drafts(): TileDraft[] {
    return [...this.#closed.map(({ draft }) => draft), ...(this.#draft === undefined ? [] : [this.#draft])]
  }

  #openDraft(): TileDraft {
    if (this.#draft !== undefined) return this.#draft
    const { clock, random, spool, groupId } = this.#deps.context
    const { archiveId, clusterId, topicId, lineage } = this.#identity
    const { topic, partition } = this.#place
    const head: SpoolHead = {
      uploadId: random.id(),
      clusterId,
      archiveId,
      group: groupId,
      topic,
      topicId,
      partition,
      lineage,
      from: this.end,
      lastFrom: this.#closed.at(-1)?.draft.from ?? this.#lastFrom,
      origin: this.#upload.origin,
      openedAtMs: clock.now(),
    }
    const file = spool.newFile(head, this.#deps.memory.spool, error => this.#diskFull(head, error))
    return (this.#draft = this.#newDraft(head, { spool: file, openedAtMs: clock.monotonic() }))
  }

  /** Goes on with a tile that an earlier owner of the spool began. */
  #resume(tile: SpooledTile): void {
    const { clock, spool } = this.#deps.context
    const { head, notes } = tile
    // A wall clock that was set meanwhile may have it uploaded at once, or as late as a new one.
    const ageMs = Math.min(Math.max(clock.now() - head.openedAtMs, 0), this.#limits.maxFileAge)
    const now = clock.monotonic()
    const file = spool.fileOf(tile, this.#deps.memory.spool, error => this.#diskFull(head, error))
    const draft = this.#newDraft(head, { spool: file, openedAtMs: now - ageMs, notes })
    const closed = notes.findLast(note => note.kind === 'closed')
    const open = this.#draft
    if (open !== undefined) this.#closed.push({ draft: open, reason: 'another one follows', closedAtMs: now })
    this.#draft = closed === undefined ? draft : undefined
    if (closed !== undefined) this.#closed.push({ draft, reason: closed.reason, closedAtMs: now })
  }

  #newDraft(head: SpoolHead, more: Pick<DraftOptions, 'spool' | 'openedAtMs' | 'notes'>): TileDraft {
    const draft = new TileDraft({
      head,
      press: this.#deps.press,
      onSpooled: () => this.#rotateByContent(),
      // Its upload comes upon the failure, and goes on from there.
      onFailed: () => (this.#draft === draft ? this.close(draft.to, 'the spool failed') : undefined),
      ...more,
    })
    return draft
  }

  /** The tile that found no room is complete: the rest of it is in memory, and its upload gives both back. */
  #diskFull({ uploadId }: SpoolHead, error: unknown): void {
    const draft = this.#draft
    if (draft?.uploadId === uploadId) this.close(draft.to, 'the disk is full')
    this.#deps.onDiskFull(error)
  }

  #rotateByContent(): void {
    const draft = this.#draft
    if (draft === undefined) return
    const reason = rotate(stateOf(draft, draft.to, 0), this.#limits)
    if (reason !== undefined) this.close(draft.to, reason)
  }

  #startUploading(): void {
    if (this.#isUploading) return
    this.#isUploading = true
    this.#uploading = this.#uploadAll()
  }

  async #uploadAll(): Promise<void> {
    try {
      while (this.#hasWork && !this.#isOver && !this.#ownership.ended.aborted) {
        try {
          await this.#uploadClosed()
        } catch (error) {
          if (this.#ownership.ended.aborted || this.#isOver) return
          if ((await this.#deps.onTrouble(error)) === 'stop') return
          // The spool cannot be trusted any more: everything since the last durable tile is read again.
          if (isMaxbrodError(error, 'DISK')) this.#goOnAt(this.#durableTo, this.#barrier)
        }
      }
    } finally {
      // In the same step as the last look for work: what is closed from now on begins to upload by itself.
      this.#isUploading = false
    }
  }

  /** Tiles to upload, or a tile of somebody else's that the chain has reached. */
  get #hasWork(): boolean {
    return this.#closed.length > 0 || this.#durableTo === this.#barrier
  }

  async #uploadClosed(): Promise<void> {
    while (!this.#ownership.ended.aborted) {
      if (this.#durableTo === this.#barrier) await this.#follow(this.#barrier)
      const [next] = this.#closed
      if (next === undefined) return
      const { draft, reason, closedAtMs } = next
      if (!(await this.#deps.isSameTopic())) return
      if (this.#closed[0] !== next) continue // dropped meanwhile
      const outcome = await this.#deps.uploads(draft.bytesAtMost, () => uploadTile(draft, this.#upload))
      if (this.#closed[0] !== next) continue // dropped meanwhile
      if (outcome.kind === 'created') {
        this.#closed.shift()
        this.#durableTo = draft.to
        this.#lastFrom = draft.from
        this.#deps.onUploaded({
          key: tileKey(this.#place, draft.from),
          from: draft.from,
          to: draft.to,
          records: draft.records,
          bytes: outcome.bytes,
          gaps: draft.gaps,
          reason,
          seconds: (this.#deps.context.clock.monotonic() - closedAtMs) / 1000,
        })
        this.#remove([draft])
        if (this.#durableTo !== this.#barrier) await this.#commits.commit(draft.to, draft.from, draft.leaderEpoch)
      } else if (outcome.kind === 'adopted') {
        this.#deps.log.info(
          { from: draft.from, to: outcome.coversTo },
          'found a file in place of ours, going on behind it',
        )
        this.#lastFrom = draft.from
        await this.#follow(outcome.coversTo)
      } else {
        throw new MaxbrodError('TILE_CONFLICT', `${tileKey(this.#place, draft.from)} is taken: ${outcome.reason}`, {
          topic: this.#place.topic,
          partition: this.#place.partition,
          keptAs: outcome.keptAs,
          hint: `our bytes are kept as ${outcome.keptAs}; find out who wrote the other object`,
        })
      }
    }
  }

  /** Goes on behind tiles that somebody else added: commits the end of the chain and drops what we have of it. */
  async #follow(from: number): Promise<void> {
    const { store } = this.#deps.context
    const chain = await walkChain(store, this.#place, this.#identity, from, this.#ownership.ended)
    const end = chain?.end ?? from
    this.#lastFrom = chain?.lastFrom ?? this.#lastFrom
    this.#goOnAt(end, chain?.nextFrom)
    await this.#commits.commit(end, this.#lastFrom, -1)
  }

  /**
   * Drops what is not durable and goes on at `end`, all in one step: a block that came in between the two would begin a tile
   * at the old place, and that tile would cover offsets that it does not hold.
   */
  #goOnAt(end: number, barrier: number | undefined): void {
    this.#dropDrafts()
    this.#durableTo = end
    this.#barrier = barrier
    this.#deps.onMoved(end, barrier)
  }

  #dropDrafts(): void {
    const drafts = this.#drafts
    this.#closed = []
    this.#draft = undefined
    this.#remove(drafts)
  }

  /** Removes spool files. What cannot be removed now is swept at the next start. */
  #remove(drafts: readonly TileDraft[]): void {
    for (const draft of drafts) {
      const removed = draft
        .discard()
        .catch((error: unknown) => this.#deps.log.warn({ err: error }, 'could not remove a spool file'))
      this.#removing = Promise.all([this.#removing, removed]).then(() => undefined)
    }
  }
}

function stateOf({ from, records, spool, bytesAtMost }: TileDraft, to: number, ageMs: number): DraftState {
  return { spooledBytes: spool.bytes, bytesAtMost, records, coveredOffsets: to - from, ageMs }
}
