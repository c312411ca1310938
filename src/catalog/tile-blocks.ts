import { DecodeError } from '../format/batch/varint.ts'
import { zstdContentBytes, zstdHasChecksum } from '../format/batch/zstd-frame.ts'
import { decompressBlock } from '../format/ocf/block-codec.ts'
import { ContainerReader } from '../format/ocf/container-reader.ts'
import type { ContainerBlock, ContainerTotals } from '../format/ocf/container-reader.ts'
import type { TileKey } from '../format/keys.ts'
import type { BufferPool } from '../runtime/buffer-pool.ts'
import { freeBuffer } from '../runtime/free-buffer.ts'
import type { ByteBudget, Lease } from '../runtime/byte-budget.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import type { GetOptions, ObjectRead } from '../storage/port.ts'
import { corrupt, interpretHeader } from './tile-header-reader.ts'
import type { FileHeader } from './tile-header-reader.ts'

export interface TileSource {
  readonly store: FileStore
  readonly key: string
  /** What the header must say; undefined for a file that lies anywhere. */
  readonly place: TileKey | undefined
  /** The object must still be this one; undefined takes whatever is there. */
  readonly etag: string | undefined
}

/** All that is needed of a store to read a file in it. */
export interface FileStore {
  get(key: string, options: Pick<GetOptions, 'ifMatch' | 'signal'>): Promise<Pick<ObjectRead, 'body'>>
}

export interface ReadingLimits {
  readonly pool: BufferPool
  /** Bounds what is decoded ahead; blocks wait for room. */
  readonly budget: ByteBudget
  /** Largest record that is accepted (`--max-record-bytes`). */
  readonly maxRecordBytes: number
  readonly signal: AbortSignal
}

/** Decoded content of one or more neighbouring blocks: whole records. The bytes are gone once it is disposed of. */
export interface DecodedBlock extends Disposable {
  readonly bytes: Buffer
  readonly records: number
}

/** No block of ours comes near; other writers may have large ones. With larger records the limit is larger. */
const MAX_BLOCK_BYTES = 64 * 1024 * 1024
/** What a block needs beside its largest record. */
const BLOCK_SLACK_BYTES = 1024 * 1024
/** Blocks decoded at the same time, per file. */
const AHEAD = 3
/** Smaller blocks are joined, so that files of many tiny blocks do not become as many requests. */
const JOIN_BELOW_BYTES = 256 * 1024
const JOINED_BYTES = 1024 * 1024

/**
 * Reads a data file block by block in bounded memory. The generator ends only when the file held exactly what its header
 * says; a truncated, altered or replaced file throws (OBJECT_CORRUPT, OBJECT_LIMIT, OBJECT_CHANGED) and never just ends.
 * `onHeader` gets the header before the first block. Blocks must be disposed of.
 */
export async function* readTileBlocks(
  source: TileSource,
  limits: ReadingLimits,
  onHeader: (header: FileHeader) => void = () => undefined,
): AsyncGenerator<DecodedBlock> {
  const { key } = source
  const read = await source.store.get(key, { ifMatch: source.etag, signal: limits.signal })
  try {
    const container = await ContainerReader.open(read.body, limits.pool)
    try {
      const header = interpretHeader(container.header, source.place)
      checkLimits(header, key, limits.maxRecordBytes)
      onHeader(header)
      yield* joined(decodedBlocks(container, header, limits))
      checkTotals(header, container.totals())
    } finally {
      await container.close()
    }
  } catch (error) {
    throw corrupt(key, error)
  }
}

/** True when nothing of the file may be used before all of it was read once: nothing in it would show a flipped bit. */
export function mustReadWholeFirst(header: FileHeader): boolean {
  return header.kind !== 'maxbrod' || header.codec !== 'zstandard'
}

async function* decodedBlocks(
  container: ContainerReader,
  header: FileHeader,
  limits: ReadingLimits,
): AsyncGenerator<DecodedBlock> {
  const maxBytes = Math.max(MAX_BLOCK_BYTES, limits.maxRecordBytes + BLOCK_SLACK_BYTES)
  const ahead: Promise<DecodedBlock>[] = []
  let block: ContainerBlock | undefined
  try {
    for (let isOver = false; !isOver || ahead.length > 0;) {
      while (!isOver && ahead.length < AHEAD) {
        block ??= await container.next(maxBytes)
        if (block === undefined) isOver = true
        else {
          // Who holds blocks must not wait for room: all readers might, and none would ever give any back.
          // Nor is a block decoded beside others that does not say how large it becomes.
          const isBounded = header.codec === 'null' || zstdContentBytes(block.compressed) !== undefined
          const lease =
            ahead.length === 0
              ? await roomFor(block, limits)
              : isBounded
                ? limits.budget.tryTake(bytesOf(block))
                : undefined
          if (lease === undefined) break
          const decoding = decode(block, header, maxBytes, lease)
          block = undefined
          decoding.catch(() => undefined) // looked at when its turn comes
          ahead.push(decoding)
        }
      }
      const next = ahead.shift()
      if (next !== undefined) yield await next
    }
  } finally {
    block?.[Symbol.dispose]()
    for (const decoding of ahead) {
      void decoding.then(
        decoded => decoded[Symbol.dispose](),
        () => undefined,
      )
    }
  }
}

function roomFor(block: ContainerBlock, { budget, signal }: ReadingLimits): Promise<Lease> {
  return budget.take(bytesOf(block), signal)
}

/** What a block takes while it is decoded; the frame may lie about its content, the decoder's own limit holds then. */
function bytesOf({ compressed }: ContainerBlock): number {
  return compressed.length + (zstdContentBytes(compressed) ?? compressed.length * 4)
}

async function decode(
  block: ContainerBlock,
  header: FileHeader,
  maxBytes: number,
  lease: Lease,
): Promise<DecodedBlock> {
  const { records, compressed } = block
  try {
    if (!mustReadWholeFirst(header) && !zstdHasChecksum(compressed)) throw new DecodeError('a block without a checksum')
    const bytes = await decompressBlock(header.codec, compressed, maxBytes)
    lease.resize(bytes.length)
    // Content of the codec `null` is the block itself.
    const isBlock = bytes === compressed
    if (!isBlock) block[Symbol.dispose]()
    const dispose = () => {
      lease[Symbol.dispose]()
      if (isBlock) block[Symbol.dispose]()
      else freeBuffer(bytes)
    }
    return { bytes, records, [Symbol.dispose]: dispose }
  } catch (error) {
    block[Symbol.dispose]()
    lease[Symbol.dispose]()
    throw error
  }
}

/** Joins small neighbours: Avro records of neighbouring blocks may simply stand behind each other. */
async function* joined(blocks: AsyncGenerator<DecodedBlock>): AsyncGenerator<DecodedBlock> {
  let small: Buffer[] = []
  let records = 0
  const take = (): DecodedBlock => {
    const block = {
      bytes: small.length === 1 ? (small[0] ?? Buffer.alloc(0)) : Buffer.concat(small),
      records,
      [Symbol.dispose]: () => undefined,
    }
    small = []
    records = 0
    return block
  }
  let bytes = 0
  for await (const block of blocks) {
    const isSmall = block.bytes.length < JOIN_BELOW_BYTES
    if (small.length > 0 && (!isSmall || bytes + block.bytes.length > JOINED_BYTES)) {
      yield take()
      bytes = 0
    }
    if (isSmall) {
      // At most a mebibyte waits here; holding its room while waiting for more could hold up all readers.
      small.push(Buffer.from(block.bytes))
      records += block.records
      bytes += block.bytes.length
      block[Symbol.dispose]()
    } else yield block
  }
  if (small.length > 0) yield take()
}

function checkLimits(header: FileHeader, key: string, maxRecordBytes: number): void {
  if (header.kind !== 'maxbrod' || header.tile.content.recordBytesMax <= maxRecordBytes) return
  throw new MaxbrodError(
    'OBJECT_LIMIT',
    `${key} holds a record of ${header.tile.content.recordBytesMax} bytes, more than ${maxRecordBytes}`,
    {
      key,
      hint: 'raise --max-record-bytes',
    },
  )
}

function checkTotals(header: FileHeader, totals: ContainerTotals): void {
  if (header.kind !== 'maxbrod') return
  const { records, blocks, blocksBytes, blocksSha256 } = header.tile.content
  if (totals.blocks !== blocks)
    throw new DecodeError(`it has ${totals.blocks} of the ${blocks} blocks that its header promises`)
  if (totals.records !== records)
    throw new DecodeError(`it has ${totals.records} of the ${records} records that its header promises`)
  if (totals.bytes !== blocksBytes)
    throw new DecodeError(`it has ${totals.bytes} of the ${blocksBytes} bytes that its header promises`)
  if (totals.sha256 !== blocksSha256) throw new DecodeError('its bytes have another SHA-256 than its header promises')
}
