import { crc32 } from 'node:zlib'
import { frameBlock } from '../../format/ocf/block-frame.ts'
import type { BlockPress } from '../../format/ocf/block-press.ts'
import { SYNC_BYTES } from '../../format/ocf/container-header.ts'
import type { Gap, TileContent } from '../../format/tile-header.ts'
import type { BatchCodec } from '../../format/batch/record-batch.ts'
import type { AvroBlock } from '../../format/transcode/avro-block.ts'
import { assert } from '../../runtime/assert.ts'
import { compressedAtMost } from './rotation.ts'
import { DraftFacts } from './draft-facts.ts'
import type { BatchFacts } from './draft-facts.ts'
import type { SpoolFile } from '../spool/spool-file.ts'
import { encodeNote } from '../spool/spool-notes.ts'
import type { BlockNote, SpoolHead, SpoolNote } from '../spool/spool-notes.ts'

export interface DraftOptions {
  readonly head: SpoolHead
  readonly spool: SpoolFile
  readonly press: BlockPress
  readonly openedAtMs: number
  /** Called after a block has been appended to the spool. */
  readonly onSpooled: () => void
  /** Called when it has failed: nothing that is added from then on is kept. */
  readonly onFailed: () => void
  /** What the spool holds already. */
  readonly notes?: readonly SpoolNote[]
}

/** A tile being filled: finished blocks are compressed side by side and appended to its spool file in order. */
export class TileDraft {
  readonly head: SpoolHead
  readonly openedAtMs: number
  readonly sync: Buffer
  readonly spool: SpoolFile
  readonly #options: DraftOptions
  readonly #facts: DraftFacts
  /** Of blocks that are still being compressed. */
  #pendingBytesAtMost = 0
  #appended: Promise<void> = Promise.resolve()
  #failure: unknown
  #content: TileContent | undefined

  constructor(options: DraftOptions) {
    this.#options = options
    this.head = options.head
    this.#facts = new DraftFacts(options.head.from)
    this.openedAtMs = options.openedAtMs
    this.spool = options.spool
    // Any 16 bytes do, as long as files differ; the upload id is random.
    this.sync = Buffer.from(this.uploadId, 'hex').subarray(0, SYNC_BYTES)
    assert(this.sync.length === SYNC_BYTES, 'an upload id of 32 hexadecimal digits')
    for (const note of options.notes ?? []) this.#facts.recall(note)
  }

  get from(): number {
    return this.head.from
  }

  /** 32 random hexadecimal digits. */
  get uploadId(): string {
    return this.head.uploadId
  }

  /** The offset behind what finished blocks and `cover` have covered. */
  get to(): number {
    return this.#facts.to
  }

  get gaps(): readonly Gap[] {
    return this.#facts.gaps
  }

  get records(): number {
    return this.#facts.records
  }

  /** Of what lies before its end; −1 for unknown. */
  get leaderEpoch(): number {
    return this.#facts.leaderEpoch
  }

  get batchCodec(): BatchCodec | undefined {
    return this.#facts.batchCodec
  }

  /** How many bytes its blocks have at most, however those compress that are on their way. */
  get bytesAtMost(): number {
    return this.spool.bytes + this.#pendingBytesAtMost
  }

  /** Covers offsets up to `to`, which have no records of their own; `leaderEpoch` is that of the last of them, if known. */
  cover(to: number, leaderEpoch = -1): void {
    this.#facts.cover(to, leaderEpoch)
  }

  /** Covers offsets that Kafka no longer has. */
  addGap(gap: Gap): void {
    this.#facts.addGap(gap)
    this.#note({ kind: 'gap', gap })
  }

  /** Takes a finished block, whose records lie below `coversTo`; it is released once it is compressed. */
  add(block: AvroBlock, coversTo: number, batch: BatchFacts, readAt: number, onReleased: () => void): void {
    this.#facts.addBlock(block, coversTo, batch)
    const bytesAtMost = compressedAtMost(block.length)
    this.#pendingBytesAtMost += bytesAtMost
    const { records, firstOffset, lastOffset, timestampMin, timestampMax } = block
    const { hasCreateTime, hasAppendTime, recordBytesMax } = block
    const { leaderEpoch, codec } = batch
    const offsets = { to: coversTo, firstOffset, lastOffset, leaderEpoch, readAt, codec }
    const facts = { records, timestampMin, timestampMax, hasCreateTime, hasAppendTime, recordBytesMax }
    const compressing = this.#options.press.compress(block.content).finally(() => {
      block.release()
      onReleased()
    })
    this.#append(async () => {
      const pieces = frameBlock(records, await compressing, this.sync)
      if (this.#failure !== undefined) return
      const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0)
      const crc = pieces.reduce((sum, piece) => crc32(piece, sum), 0)
      const note: BlockNote = { kind: 'block', ...offsets, ...facts, bytes, crc }
      await this.spool.append(pieces, encodeNote(note))
      this.#pendingBytesAtMost -= bytesAtMost
      this.#options.onSpooled()
    })
    // What waits behind another one must not count as unhandled when it fails first.
    compressing.catch(() => undefined)
  }

  /** Says that nothing follows: from now on it may be in the store, as it is. */
  close(reason: string, readAt: number): void {
    this.#note({ kind: 'closed', to: this.to, reason, leaderEpoch: this.leaderEpoch, readAt })
    // Many complete tiles may wait for their upload.
    this.#append(() => this.spool.seal())
  }

  /** Resolves when all blocks are in the spool; throws what went wrong with them. */
  async settled(): Promise<void> {
    await this.#appended
    if (this.#failure !== undefined) throw this.#failure
  }

  /** What the header will say of the content. To be asked after `settled`, when nothing is added any more. */
  content(): TileContent {
    this.#content ??= this.#facts.content(this.spool.bytes, this.spool.sha256)
    return this.#content
  }

  /** Gives back what a tile holds that gets nothing for a while. */
  rest(): void {
    this.#append(() => this.spool.rest())
  }

  /** Leaves the files to whoever owns the partition next; false when they are of no use. */
  async leave(): Promise<boolean> {
    this.rest()
    await this.#appended
    return this.#failure === undefined
  }

  /** Removes the spool file once nothing writes to it any more. */
  async discard(): Promise<void> {
    await this.#appended
    await this.spool.remove()
  }

  #note(note: SpoolNote): void {
    this.#append(() => (this.#failure === undefined ? this.spool.note(encodeNote(note)) : Promise.resolve()))
  }

  /** Writes come one behind the other. */
  #append(write: () => Promise<void>): void {
    this.#appended = this.#appended.then(write).catch((error: unknown) => {
      this.#failure ??= error
      this.#options.onFailed()
    })
  }
}
