import type { ScannedRecord } from '../../catalog/scan-records.ts'
import { factsOfHeader, sealedFacts, tileFactsToMap } from '../../format/facts.ts'
import type { GenerationFile } from '../../format/generation.ts'
import { tileKey } from '../../format/keys.ts'
import type { PartitionPlace } from '../../format/keys.ts'
import type { BlockPress } from '../../format/ocf/block-press.ts'
import type { BatchCodec } from '../../format/batch/record-batch.ts'
import type { Gap, TileGeneration, TileHeader } from '../../format/tile-header.ts'
import { AvroBlock } from '../../format/transcode/avro-block.ts'
import { assert } from '../../runtime/assert.ts'
import type { BufferPool } from '../../runtime/buffer-pool.ts'
import type { Disk } from '../../runtime/disk.ts'
import { MaxbrodError } from '../../runtime/errors.ts'
import type { Random } from '../../runtime/random.ts'
import type { ObjectStore, Seal } from '../../storage/port.ts'
import { BlockTimes } from './block-times.ts'
import type { Source } from './source.ts'
import { DerivedDraft } from './tile-draft.ts'

export interface WritingDeps {
  readonly store: ObjectStore
  readonly disk: Disk
  readonly pool: BufferPool
  readonly press: BlockPress
  readonly random: Random
  /** Makes encrypted files of what is written. */
  readonly seal?: Seal | undefined
  readonly signal: AbortSignal
}

/** What is being written, and where. */
export interface WritingJob {
  readonly place: PartitionPlace
  readonly identity: Pick<TileHeader, 'clusterId' | 'topicId' | 'origin' | 'writer'>
  readonly generation: TileGeneration
  readonly gaps: readonly Gap[]
  /** Files become about this large. */
  readonly fileBytes: number
  /** On the disk, and there. */
  readonly folder: string
}

const BLOCK_BYTES = 1024 * 1024
/** Blocks that are compressed while the next one is filled. */
const AHEAD = 3

/** Writes the files of a partition's generation: records are copied as the bytes that they are in their sources. */
export class GenerationWriter {
  readonly #deps: WritingDeps
  readonly #job: WritingJob
  readonly #files: GenerationFile[] = []
  readonly #compressing: {
    readonly block: AvroBlock
    readonly source: Source
    readonly compressed: Promise<Buffer>
  }[] = []
  readonly #times = new BlockTimes()
  #draft: DerivedDraft
  #block: AvroBlock | undefined
  /** That of the next records. */
  #source: Source | undefined
  /** That of the last block in the file, and the codec that one before it told last. */
  #last: { readonly source: Source; readonly offset: number } | undefined
  #codec: BatchCodec | undefined

  constructor(deps: WritingDeps, job: WritingJob) {
    this.#deps = deps
    this.#job = job
    this.#draft = this.#newDraft(job.generation.from)
  }

  /** The records that follow come from this file. */
  begin(source: Source): void {
    this.#source = source
    if (this.#block !== undefined) this.#times.takesType(this.#block, source.header)
  }

  /** Takes a record; what it answers with must be waited for. */
  add({ bytes, start, end, spans }: ScannedRecord): void | Promise<void> {
    const block = (this.#block ??= this.#newBlock())
    block.reserve(end - start)
    bytes.copy(block.bytes, block.length, start, end)
    block.length += end - start
    block.records++
    if (block.firstOffset < 0) block.firstOffset = spans.offset
    block.lastOffset = spans.offset
    block.recordBytesMax = Math.max(block.recordBytesMax, end - start)
    this.#times.see(spans.timestamp)
    return block.length < BLOCK_BYTES ? undefined : this.#closeBlock()
  }

  /** Closes the last file. */
  async finish(): Promise<readonly GenerationFile[]> {
    await this.#closeBlock()
    await this.#drain(0)
    await this.#put(this.#job.generation.to, this.#source)
    return this.#files
  }

  /** Gives back what it holds, whatever became of it. */
  async discard(): Promise<void> {
    this.#block?.release()
    for (const { compressed } of this.#compressing) await compressed.catch(() => undefined)
    await this.#draft.remove()
  }

  async #closeBlock(): Promise<void> {
    const [block, source] = [this.#block, this.#source]
    if (block === undefined || source === undefined) return
    this.#block = undefined
    this.#times.tell(block)
    const compressed = this.#deps.press.compress(block.content).finally(() => block.release())
    compressed.catch(() => undefined) // looked at when its turn comes
    this.#compressing.push({ block, source, compressed })
    await this.#drain(AHEAD)
  }

  /** Appends what is compressed, until no more than so many blocks are on their way. */
  async #drain(most: number): Promise<void> {
    while (this.#compressing.length > most) {
      const next = this.#compressing.shift()
      if (next === undefined) return
      const { block, source, compressed } = next
      const last = this.#last
      // Only now is it known that something follows: the last file reaches to the end of the generation.
      if (last !== undefined && this.#draft.bytes >= this.#job.fileBytes) {
        await this.#put(last.offset + 1, last.source)
        this.#draft = this.#newDraft(last.offset + 1)
      }
      await this.#draft.append(block, await compressed)
      this.#last = { source, offset: block.lastOffset }
      this.#codec = source.header.content.batchCodec ?? this.#codec
    }
  }

  async #put(to: number, source: Source | undefined): Promise<void> {
    const { store, signal } = this.#deps
    const { place, identity, generation, gaps } = this.#job
    const draft = this.#draft
    const header: TileHeader = {
      ...identity,
      topic: place.topic,
      partition: place.partition,
      coversFrom: draft.from,
      coversTo: to,
      leaderEpoch: source?.header.leaderEpoch ?? -1,
      gaps: gaps
        .filter(gap => gap.from < to && gap.to > draft.from)
        .map(gap => ({ ...gap, from: Math.max(gap.from, draft.from), to: Math.min(gap.to, to) })),
      content: await draft.finish(this.#codec),
      generation,
    }
    const { seal } = this.#deps
    const plain = await draft.body(header)
    const body = (await seal?.(plain)) ?? plain
    const key = tileKey(place, draft.from, seal !== undefined)
    const facts = {
      ...factsOfHeader(header, place.lineage, draft.uploadId),
      ...(seal && { sealed: sealedFacts(header) }),
    }
    const put = await store.put(key, body, tileFactsToMap(facts, body.sha256), signal)
    if (!put.created && (await store.head(key, signal))?.facts['upload-id'] !== draft.uploadId)
      throw new MaxbrodError('OBJECT_CHANGED', `${key} was written by somebody else at the same moment`, {
        key,
        hint: 'run the command again',
      })
    const { sha256 } = plain
    const stored = seal === undefined ? {} : { storedSha256: body.sha256 }
    this.#files.push({ key, from: draft.from, to, records: draft.records, bytes: body.bytes, sha256, ...stored })
    await draft.remove()
  }

  #newBlock(): AvroBlock {
    const block = new AvroBlock(this.#deps.pool, BLOCK_BYTES + BLOCK_BYTES / 8)
    assert(this.#source !== undefined, 'a record without a source')
    this.#times.begin()
    this.#times.takesType(block, this.#source.header)
    return block
  }

  #newDraft(from: number): DerivedDraft {
    const { disk, random } = this.#deps
    return new DerivedDraft(disk, `${this.#job.folder}/blocks`, random.id(), from)
  }
}
