import { mustReadWholeFirst, readTileBlocks } from '../catalog/tile-blocks.ts'
import type { DecodedBlock, ReadingLimits, TileSource } from '../catalog/tile-blocks.ts'
import type { FileHeader } from '../catalog/tile-header-reader.ts'
import { corrupt } from '../catalog/tile-header-reader.ts'
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
export type SourceItem =
  /** The records of a block, ready to be sent. */
  | { readonly kind: 'batches'; readonly batches: readonly FilledBatch[]; readonly codec: BatchCodec }
  /** All batches of the file came before, and the file was whole. */
  | { readonly kind: 'end of file'; readonly file: PlanFile }

export interface SourceOptions {
  readonly store: ObjectStore
  readonly limits: ReadingLimits
  /** Largest batch that the target takes. */
  readonly batchBytes: number
  /** Where the target stands: this many records of the first file are there already … */
  readonly skip: number
  /** … and the last of them has this source offset. */
  readonly tailSourceOffset: number | undefined
}

/**
 * Reads the files of a chain and turns their blocks into batches. The first `skip` records are left out, and the last of
 * them must be the one that the target ends with. Throws OBJECT_CORRUPT and the like for a file that is not what was
 * planned, TARGET_SPOILED when the target does not match the file.
 */
export async function* readChain(files: readonly PlanFile[], options: SourceOptions): AsyncGenerator<SourceItem> {
  let skip = options.skip
  for (const file of files) {
    yield* readFile(file, { ...options, skip })
    yield { kind: 'end of file', file }
    skip = 0
  }
}

async function* readFile(file: PlanFile, options: SourceOptions): AsyncGenerator<SourceItem> {
  const { key, etag } = file.object
  const place = must(parseTileKey(key), `the place of ${key}`)
  const source = { store: options.store, key, place, etag }
  const window = { from: file.slice?.fromOffset ?? file.covers.from, to: file.slice?.toOffset ?? file.covers.to }
  const progress = { seen: 0, after: file.covers.from - 1 }
  let header: FileHeader | undefined
  const onHeader = (read: FileHeader) => {
    header = read
  }
  try {
    for await (const block of readTileBlocks(source, options.limits, onHeader)) {
      using _ = block
      const known = must(header, 'header')
      if (progress.seen === 0 && progress.after < file.covers.from && mustReadWholeFirst(known))
        await readThrough(file, source, options.limits)
      const batches = takeBlock(block, readerOf(known, file), file, window, progress, options)
      if (batches.length > 0) yield { kind: 'batches', batches, codec: codecOf(known) }
    }
  } catch (error) {
    throw corrupt(key, error)
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
  { skip, tailSourceOffset, batchBytes, limits }: SourceOptions,
): readonly FilledBatch[] {
  const left = Math.max(0, skip - progress.seen)
  const slice = {
    ...block,
    fromOffset: window.from,
    toOffset: window.to,
    skip: left,
    after: progress.after,
    coversTo: file.covers.to,
  }
  const { batches, wanted, lastSkipped, lastOffset } = blockToBatches(slice, reader, batchBytes, limits.pool)
  if (left > 0 && wanted >= left && lastSkipped !== tailSourceOffset) {
    for (const { builder } of batches) builder.release()
    throw new MaxbrodError(
      'TARGET_SPOILED',
      `${file.target.topic}-${file.target.partition} ends with source offset ${tailSourceOffset}, where ${lastSkipped} must stand`,
      {
        ...file.target,
        hint: 'another producer wrote to it: restore into a new topic',
      },
    )
  }
  progress.after = lastOffset
  progress.seen += wanted
  return batches
}

/** Files in which a flipped bit would not show are decoded from end to end before the first record is used. */
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
