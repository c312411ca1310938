import { walkChain } from '../../catalog/chain-walk.ts'
import { tileKey } from '../../format/keys.ts'
import type { Ownership } from '../../kafka/port/membership.ts'
import { MaxbrodError, isMaxbrodError } from '../../runtime/errors.ts'
import { partitionName } from '../../runtime/topic-partition.ts'
import type { ChainCommits } from './chain-commits.ts'
import type { ChainDeps } from './chain-deps.ts'
import type { ChainDrafts, ClosedTile } from './chain-drafts.ts'
import type { DraftRemoval } from './draft-removal.ts'
import type { ResumePoint } from '../resume/resume.ts'
import { uploadTile } from './tile-upload.ts'
import type { TileOutcome, TileUpload } from './tile-upload.ts'

export interface ChainUploadsDeps extends Pick<
  ChainDeps,
  'context' | 'uploads' | 'log' | 'isSameTopic' | 'onTrouble' | 'onMoved' | 'onUploaded'
> {
  readonly upload: TileUpload
  readonly ownership: Ownership
  readonly drafts: ChainDrafts
  readonly commits: ChainCommits
  readonly removal: DraftRemoval
}

/** Brings the complete tiles of a chain into the store, one behind the other, and says so to the group. */
export class ChainUploads {
  readonly #deps: ChainUploadsDeps
  /** The offset behind the last tile known to be durable, and where that tile begins. */
  #to: number
  #lastFrom: number | undefined
  /** Where a tile of somebody else's lies ahead. */
  #barrier: number | undefined
  #isUploading = false
  #uploading = Promise.resolve()
  #isOver = false

  constructor({ chainEnd, lastFrom, barrier }: ResumePoint, deps: ChainUploadsDeps) {
    this.#deps = deps
    this.#to = chainEnd
    this.#lastFrom = lastFrom
    this.#barrier = barrier
  }

  get durable(): { readonly to: number; readonly lastFrom: number | undefined } {
    return { to: this.#to, lastFrom: this.#lastFrom }
  }

  start(): void {
    if (this.#isUploading) return
    this.#isUploading = true
    this.#uploading = this.#uploadAll()
  }

  /** Nothing more is uploaded. */
  end(): void {
    this.#isOver = true
  }

  /** Resolves when everything closed so far is durable and committed, or the partition is no longer ours. */
  async drained(): Promise<void> {
    while (this.#isUploading) await this.#uploading
  }

  /** Resolves when all below `offset` is committed, or nothing is uploaded any more: because all is, or the chain cannot go on. */
  async reached(offset: number): Promise<void> {
    const { commits } = this.#deps
    while (this.#isUploading && commits.committedTo < offset) await Promise.race([this.#uploading, commits.next])
  }

  async #uploadAll(): Promise<void> {
    try {
      while (this.#hasWork && !this.#isOver && !this.#isLost) {
        try {
          await this.#uploadClosed()
        } catch (error) {
          if (this.#isLost || this.#isOver) return
          if ((await this.#deps.onTrouble(error)) === 'stop') return
          // The spool cannot be trusted any more: everything since the last durable tile is read again.
          if (isMaxbrodError(error, 'DISK')) this.#goOnAt(this.#to, this.#barrier)
        }
      }
    } finally {
      // In the same step as the last look for work: what is closed from now on begins to upload by itself.
      this.#isUploading = false
    }
  }

  get #isLost(): boolean {
    return this.#deps.ownership.ended.aborted
  }

  /** Tiles to upload, or a tile of somebody else's that the chain has reached. */
  get #hasWork(): boolean {
    return this.#deps.drafts.waiting > 0 || this.#to === this.#barrier
  }

  async #uploadClosed(): Promise<void> {
    const { drafts, upload, uploads, isSameTopic, context } = this.#deps
    const what = `an upload of ${partitionName(upload.place)}`
    while (!this.#isLost) {
      if (this.#to === this.#barrier) await this.#follow(this.#barrier)
      const next = drafts.first
      if (next === undefined) return
      const { draft } = next
      if (!(await isSameTopic())) return
      if (drafts.first !== next) continue // dropped meanwhile
      const outcome = await uploads(draft.bytesAtMost, () =>
        context.vitals.during(what, moves => uploadTile(draft, upload, moves), { bytes: draft.bytesAtMost }),
      )
      if (drafts.first !== next) continue // dropped meanwhile
      await this.#uploaded(next, outcome)
    }
  }

  async #uploaded(tile: ClosedTile, outcome: TileOutcome): Promise<void> {
    const { drafts, commits, removal, upload, log } = this.#deps
    const { draft } = tile
    const { from, to, leaderEpoch } = draft
    if (outcome.kind === 'conflict') throw conflictAt(upload, from, outcome)
    this.#lastFrom = from
    if (outcome.kind === 'adopted') {
      log.info({ from, to: outcome.coversTo }, 'found a file in place of ours, going on behind it')
      return this.#follow(outcome.coversTo)
    }
    drafts.uploaded()
    this.#to = to
    this.#tell(tile, outcome.bytes)
    removal.remove([draft])
    if (to !== this.#barrier) await commits.commit(to, from, leaderEpoch)
  }

  /** Goes on behind tiles that somebody else added: commits the end of the chain and drops what we have of it. */
  async #follow(from: number): Promise<void> {
    const { upload, commits, ownership } = this.#deps
    const { store, place, identity } = upload
    const chain = await walkChain(store, place, identity, from, ownership.ended)
    const end = chain?.end ?? from
    this.#lastFrom = chain?.lastFrom ?? this.#lastFrom
    this.#goOnAt(end, chain?.nextFrom)
    await commits.commit(end, this.#lastFrom, -1)
  }

  /**
   * Drops what is not durable and goes on at `end`, all in one step: a block that came in between the two would begin a tile
   * at the old place, and that tile would cover offsets that it does not hold.
   */
  #goOnAt(end: number, barrier: number | undefined): void {
    const { drafts, removal, onMoved } = this.#deps
    removal.remove(drafts.drop())
    this.#to = end
    this.#barrier = barrier
    onMoved(end, barrier)
  }

  #tell({ draft, reason, closedAtMs }: ClosedTile, bytes: number): void {
    const { upload, context, onUploaded } = this.#deps
    const { from, to, records, gaps } = draft
    const seconds = (context.clock.monotonic() - closedAtMs) / 1000
    onUploaded({ key: keyAt(upload, from), from, to, records, bytes, gaps, reason, seconds })
  }
}

function keyAt({ place, seal }: TileUpload, from: number): string {
  return tileKey(place, from, seal !== undefined)
}

function conflictAt(
  upload: TileUpload,
  from: number,
  { reason, keptAs }: Extract<TileOutcome, { readonly kind: 'conflict' }>,
): MaxbrodError {
  return new MaxbrodError('TILE_CONFLICT', `${keyAt(upload, from)} is taken: ${reason}`, {
    topic: upload.place.topic,
    partition: upload.place.partition,
    keptAs,
    hint: `our bytes are kept as ${keptAs}; find out who wrote the other object`,
  })
}
