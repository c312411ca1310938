import { walkChain } from '../catalog/chain-walk.ts'
import { tileKey } from '../format/keys.ts'
import type { PartitionPlace } from '../format/keys.ts'
import type { Gap } from '../format/tile-header.ts'
import type { AvroBlock } from '../format/transcode/avro-block.ts'
import type { BlockBounds } from '../format/transcode/to-avro.ts'
import type { Ownership } from '../kafka/port.ts'
import { MaxbrodError, isMaxbrodError } from '../runtime/errors.ts'
import { ChainCommits } from './chain-commits.ts'
import type { ChainDeps } from './chain-deps.ts'
import { ChainDrafts } from './chain-drafts.ts'
import type { ClosedTile } from './chain-drafts.ts'
import type { PartitionIdentity } from './identity.ts'
import type { ResumePoint } from './resume.ts'
import type { RotationLimits } from './rotation.ts'
import type { SpooledTile } from './spooled-tile.ts'
import type { BatchFacts, TileDraft } from './tile-draft.ts'
import { uploadTile } from './tile-upload.ts'
import type { TileUpload } from './tile-upload.ts'

/**
 * The tiles of one partition on their way to the store. One PUT at a time, and only when the tile before is known to be
 * durable; then the commit. kill -9 between the two is mended by the next worker, which finds the tile and commits its end.
 */
export class TileChain {
  readonly #place: PartitionPlace
  readonly #identity: PartitionIdentity
  readonly #ownership: Ownership
  readonly #limits: RotationLimits
  readonly #deps: ChainDeps
  readonly #commits: ChainCommits
  readonly #upload: TileUpload
  readonly #drafts: ChainDrafts
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
    const durable = () => ({ to: this.#durableTo, lastFrom: this.#lastFrom })
    const onClosed = () => this.#startUploading()
    this.#drafts = new ChainDrafts({ place, identity, limits, origin, durable, onClosed, deps }, spooled)
  }

  /** The offset behind all that it has: what is durable, and the tiles on their way there. */
  get end(): number {
    return this.#drafts.end
  }

  /** Of the last batch in it. */
  get lastBatch(): BatchFacts {
    const { leaderEpoch = -1, batchCodec } = this.#drafts.all.at(-1) ?? {}
    return { leaderEpoch, codec: batchCodec }
  }

  /** Tiles that are complete and not yet durable: a partition far ahead of its uploads should read no more. */
  get waiting(): number {
    return this.#drafts.waiting
  }

  /** The offset that the group knows to be durable. */
  get committedTo(): number {
    return this.#commits.committedTo
  }

  /** Bytes in the spool of the tile that is being filled. */
  get openBytes(): number {
    return this.#drafts.openBytes
  }

  /** Bytes in the spool, those of tiles that wait for their upload among them. */
  get spooledBytes(): number {
    return this.#drafts.all.reduce((sum, { spool }) => sum + spool.bytes, 0)
  }

  /** Age of the oldest tile that is not durable, in ms; 0 when there is none. */
  get oldestAgeMs(): number {
    return this.#drafts.oldestAgeMs
  }

  /** In how many ms the oldest tile is closed at the latest; 0 when it is. */
  get dueInMs(): number {
    return this.waiting > 0 ? 0 : Math.max(0, this.#limits.maxFileAge - this.ageMs)
  }

  /** Age of the tile that is being filled, in ms; 0 when there is none. */
  get ageMs(): number {
    return this.#drafts.ageMs
  }

  /** What the next block may hold. */
  get bounds(): BlockBounds {
    return this.#drafts.bounds
  }

  /** Tells the group where the chain ends, before anything new is added to it. */
  async commitStart(): Promise<void> {
    await this.#commits.commit(this.#durableTo, this.#lastFrom, -1)
    if (this.waiting > 0) this.#startUploading()
  }

  /** From now on tiles are only uploaded. */
  commitNoMore(): void {
    this.#commits.end()
  }

  /** Takes a finished block, whose records lie below `coversTo`. */
  add(block: AvroBlock, coversTo: number, batch: BatchFacts, onReleased: () => void): void {
    if (!this.#isOver) return this.#drafts.add(block, coversTo, batch, onReleased)
    block.release()
    onReleased()
  }

  /** See ChainDrafts; nothing is noted once the chain has ended. */
  addGap(gap: Gap): void {
    if (!this.#isOver) this.#drafts.addGap(gap)
  }

  covered(position: number): void {
    if (!this.#isOver) this.#drafts.covered(position)
  }

  rotate(position: number, hasOpenBlock: boolean): void {
    this.#drafts.rotate(position, hasOpenBlock)
  }

  rest(): void {
    this.#drafts.rest()
  }

  /** Completes the tile that is being filled, up to `to`, and has it uploaded. */
  close(to: number, reason: string): void {
    if (!this.#isOver) this.#drafts.close(to, reason)
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
    for (const draft of this.#drafts.drop()) {
      if (await draft.leave()) this.#deps.context.spool.leave([draft.head])
      else this.#remove([draft])
    }
    await this.#removing
  }

  /** Ends the chain here: what is not durable is forgotten, nothing is taken any more. Kafka still has it. */
  async discard(): Promise<void> {
    this.#isOver = true
    this.#remove(this.#drafts.drop())
    await this.#removing
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
    return this.waiting > 0 || this.#durableTo === this.#barrier
  }

  async #uploadClosed(): Promise<void> {
    while (!this.#ownership.ended.aborted) {
      if (this.#durableTo === this.#barrier) await this.#follow(this.#barrier)
      const next = this.#drafts.first
      if (next === undefined) return
      const { draft } = next
      if (!(await this.#deps.isSameTopic())) return
      if (this.#drafts.first !== next) continue // dropped meanwhile
      const outcome = await this.#deps.uploads(draft.bytesAtMost, () => uploadTile(draft, this.#upload))
      if (this.#drafts.first !== next) continue // dropped meanwhile
      if (outcome.kind === 'created') {
        this.#drafts.uploaded()
        this.#durableTo = draft.to
        this.#lastFrom = draft.from
        this.#tell(next, outcome.bytes)
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
    this.#remove(this.#drafts.drop())
    this.#durableTo = end
    this.#barrier = barrier
    this.#deps.onMoved(end, barrier)
  }

  #tell({ draft, reason, closedAtMs }: ClosedTile, bytes: number): void {
    const { from, to, records, gaps } = draft
    const key = tileKey(this.#place, from)
    const seconds = (this.#deps.context.clock.monotonic() - closedAtMs) / 1000
    this.#deps.onUploaded({ key, from, to, records, bytes, gaps, reason, seconds })
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
