import type { PartitionPlace } from '../../format/keys.ts'
import type { Gap } from '../../format/tile-header.ts'
import type { AvroBlock } from '../../format/transcode/avro-block.ts'
import type { BlockBounds } from '../../format/transcode/to-avro.ts'
import type { Ownership } from '../../kafka/port/membership.ts'
import { ChainCommits } from './chain-commits.ts'
import type { ChainDeps } from './chain-deps.ts'
import { ChainDrafts } from './chain-drafts.ts'
import { ChainUploads } from './chain-uploads.ts'
import type { BatchFacts } from './draft-facts.ts'
import { DraftRemoval } from './draft-removal.ts'
import type { PartitionIdentity } from '../resume/identity.ts'
import type { ResumePoint } from '../resume/resume.ts'
import type { RotationLimits } from './rotation.ts'
import type { Spool } from '../spool/spool.ts'
import type { SpooledTile } from '../spool/spooled-tile.ts'

/**
 * The tiles of one partition on their way to the store. One PUT at a time, and only when the tile before is known to be
 * durable; then the commit. kill -9 between the two is mended by the next worker, which finds the tile and commits its end.
 */
export class TileChain {
  readonly #limits: RotationLimits
  readonly #spool: Spool
  readonly #drafts: ChainDrafts
  readonly #commits: ChainCommits
  readonly #uploads: ChainUploads
  readonly #removal: DraftRemoval
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
    const { origin } = resume
    const { committer, log, context } = deps
    const { store, writer, rules, seal, spool } = context
    const { keeping } = rules.of(place.topic)
    this.#limits = limits
    this.#spool = spool
    const durable = () => this.#uploads.durable
    const onClosed = () => this.#uploads.start()
    const drafts = new ChainDrafts({ place, identity, limits, origin, durable, onClosed, deps }, spooled)
    const commits = new ChainCommits(resume.chainEnd, { place, identity, ownership, origin, committer, log })
    const upload = { store, place, identity, origin, writer, keeping, seal, ended: ownership.ended }
    const removal = new DraftRemoval(log)
    this.#drafts = drafts
    this.#commits = commits
    this.#removal = removal
    this.#uploads = new ChainUploads(resume, { ...deps, upload, ownership, drafts, commits, removal })
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
    const { to, lastFrom } = this.#uploads.durable
    await this.#commits.commit(to, lastFrom, -1)
    if (this.waiting > 0) this.#uploads.start()
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

  /** See ChainUploads for these two. */
  async drained(): Promise<void> {
    await this.#uploads.drained()
  }

  async reached(offset: number): Promise<void> {
    // What an earlier process has left waits for the commit of where the chain ends; whoever asks now does not.
    if (this.waiting > 0) this.#uploads.start()
    await this.#uploads.reached(offset)
  }

  /** Ends the chain here, and leaves what is not durable to whoever has the partition next: this worker, perhaps. */
  async leave(): Promise<void> {
    this.#end()
    for (const draft of this.#drafts.drop()) {
      if (await draft.leave()) this.#spool.leave([draft.head])
      else this.#removal.remove([draft])
    }
    await this.#removal.done
  }

  /** Ends the chain here: what is not durable is forgotten, nothing is taken any more. Kafka still has it. */
  async discard(): Promise<void> {
    this.#end()
    this.#removal.remove(this.#drafts.drop())
    await this.#removal.done
  }

  #end(): void {
    this.#isOver = true
    this.#uploads.end()
  }
}
