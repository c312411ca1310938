import { mustReadWholeFirst } from '../catalog/decode-ahead.ts'
import { readTileBlocks } from '../catalog/tile-blocks.ts'
import type { DecodedBlock, ReadingLimits } from '../catalog/decode-ahead.ts'
import type { TileSource } from '../catalog/tile-blocks.ts'
import { toldIfPruned } from '../catalog/prunes.ts'
import { corrupt } from '../catalog/tile-header-reader.ts'
import type { FileHeader } from '../catalog/tile-header-reader.ts'
import { DecodeError } from '../format/batch/varint.ts'
import type { BatchCodec } from '../format/batch/record-batch.ts'
import { parseTileKey } from '../format/keys.ts'
import type { PlanFile } from '../format/plan.ts'
import { dataKeepReader, recordReader } from '../format/transcode/avro-records.ts'
import type { RecordReader } from '../format/transcode/avro-records.ts'
import { blockToBatches } from '../format/transcode/to-batches.ts'
import type { FilledBatch } from '../format/transcode/to-batches.ts'
import { must } from '../runtime/assert.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import type { ObjectStore } from '../storage/port.ts'

/** What a chain's files give, in order. */
export type SourceItem = SourceBatches | EndOfFile

/** The records of a block, ready to be sent. The block's room in the budget stands for them until this is disposed of. */
export interface SourceBatches extends Disposable {
  readonly kind: 'batches'
  readonly batches: readonly FilledBatch[]
  readonly codec: BatchCodec
}

/** All batches of the file came before, and the file was whole. */
export interface EndOfFile {
  readonly kind: 'end of file'
  readonly file: PlanFile
}

export interface SourceOptions {
  readonly store: ObjectStore
  readonly limits: ReadingLimits
  /** Largest batch that the target takes. */
  readonly batchBytes: number
  /** Where the target stands in the first file; undefined when it holds nothing of it. */
  readonly tail: TargetTail | undefined
}

export interface TargetTail {
  /** This many records of the file are there already … */
  readonly skip: number
  /** … and the last of them has this source offset. */
  readonly sourceOffset: number | undefined
  /** The error for a target that does not match its file. */
  readonly spoiled: (reason: string) => Error
}

/**
 * Reads the files of a chain and turns their blocks into batches. What the target has is left out, and must end with the
 * right record. Throws OBJECT_CORRUPT and the like for a file that is not what was planned, the tail's error when the target
 * does not match the file. Items must be disposed of, also those that are thrown away.
 */
export async function* readChain(files: readonly PlanFile[], options: SourceOptions): AsyncGenerator<SourceItem, void> {
  let { tail } = options
  for (const file of files) {
    yield* readFile(file, { ...options, tail })
    yield { kind: 'end of file', file }
    tail = undefined
  }
}

async function* readFile(file: PlanFile, options: SourceOptions): AsyncGenerator<SourceBatches, void> {
  const { key, etag } = file.object
  const place = must(parseTileKey(key), `the place of ${key}`)
  const source = { store: options.store, key, place, etag }
  const window = { from: file.slice?.fromOffset ?? file.covers.from, to: file.slice?.toOffset ?? file.covers.to }
  const progress = { seen: 0, after: file.covers.from - 1 }
  try {
    for await (const { block, header } of provenBlocks(file, source, options.limits)) {
      using stack = new DisposableStack()
      stack.use(block)
      const batches = takeBlock(block, readerOf(header, file), file, window, progress, options)
      if (batches.length > 0) {
        const room = stack.move()
        yield { kind: 'batches', batches, codec: codecOf(header), [Symbol.dispose]: () => room.dispose() }
      }
    }
  } catch (error) {
    throw await toldIfPruned(options.store, key, place, corrupt(key, error))
  }
  if (progress.seen !== file.records) {
    throw new MaxbrodError(
      'OBJECT_CORRUPT',
      `${key} gives ${progress.seen} records, where ${file.records} were planned`,
      { key, hint: 'plan again into a new --plan-topic' },
    )
  }
}

/** The wanted records of a block as batches; `progress` counts all wanted records, those that are skipped as well. */
function takeBlock(
  block: DecodedBlock,
  reader: RecordReader,
  file: PlanFile,
  window: { readonly from: number; readonly to: number },
  progress: { seen: number; after: number },
  { tail, batchBytes, limits }: SourceOptions,
): readonly FilledBatch[] {
  const left = Math.max(0, (tail?.skip ?? 0) - progress.seen)
  const slice = {
    ...block,
    fromOffset: window.from,
    toOffset: window.to,
    skip: left,
    after: progress.after,
    coversTo: file.covers.to,
  }
  const { batches, wanted, lastSkipped, lastOffset } = blockToBatches(slice, reader, batchBytes, limits.pool)
  if (progress.seen + wanted > file.records) {
    for (const { builder } of batches) builder.release()
    throw new DecodeError(`more records than the ${file.records} that were planned`)
  }
  if (tail !== undefined && left > 0 && wanted >= left && lastSkipped !== tail.sourceOffset) {
    for (const { builder } of batches) builder.release()
    throw tail.spoiled(`its last record has source offset ${tail.sourceOffset}, where ${lastSkipped} must stand`)
  }
  progress.after = lastOffset
  progress.seen += wanted
  return batches
}

interface ProvenBlock {
  readonly block: DecodedBlock
  readonly header: FileHeader
}

/** The blocks of a file of which nothing is wrong as far as it can show: by one GET, but for files that need a first reading. */
async function* provenBlocks(file: PlanFile, source: TileSource, limits: ReadingLimits): AsyncGenerator<ProvenBlock> {
  let header: FileHeader | undefined
  const open = () => readTileBlocks(source, limits, found => (header = found))
  let isProven = true
  for await (const block of open()) {
    const known = must(header, 'header')
    isProven = !mustReadWholeFirst(known)
    if (isProven) yield { block, header: known }
    else {
      block[Symbol.dispose]()
      break
    }
  }
  if (isProven) return
  await readThrough(file, source, limits)
  for await (const block of open()) yield { block, header: must(header, 'header') }
}

/**
 * Files in which a flipped bit would not show are decoded from end to end before the first record is used. Not while blocks
 * of the file are held: many chains would wait for each other's room.
 */
async function readThrough(file: PlanFile, source: TileSource, limits: ReadingLimits): Promise<void> {
  let header: FileHeader | undefined
  let after = file.covers.from - 1
  for await (const block of readTileBlocks(source, limits, read => (header = read))) {
    using _ = block
    const nothing = { ...block, fromOffset: 0, toOffset: 0, skip: 0, after, coversTo: file.covers.to }
    after = blockToBatches(nothing, readerOf(must(header, 'header'), file), 0, limits.pool).lastOffset
  }
}

function readerOf(header: FileHeader, { source }: PlanFile): RecordReader {
  return header.kind === 'maxbrod' ? recordReader : dataKeepReader(source.topic, source.partition)
}

function codecOf(header: FileHeader): BatchCodec {
  return header.kind === 'maxbrod' ? (header.tile.content.batchCodec ?? 'none') : 'none'
}
