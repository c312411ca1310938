import { DecodeError } from '../format/batch/varint.ts'
import { zstdContentBytes, zstdHasChecksum } from '../format/batch/zstd-frame.ts'
import { decompressBlock } from '../format/ocf/block-codec.ts'
import type { ContainerBlock, ContainerReader } from '../format/ocf/container-reader.ts'
import type { BufferPool } from '../runtime/buffer-pool.ts'
import type { ByteBudget, Lease } from '../runtime/byte-budget.ts'
import { freeBuffer } from '../runtime/free-buffer.ts'
import type { FileHeader } from './tile-header-reader.ts'

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
/** True when nothing of the file may be used before all of it was read once: nothing in it would show a flipped bit. */
export function mustReadWholeFirst(header: FileHeader): boolean {
  return header.kind !== 'maxbrod' || header.codec !== 'zstandard'
}

/** The blocks of a container in their order, each decoded while those before it are in use, as far as there is room. */
export async function* decodedBlocks(
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
