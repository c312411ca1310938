import { promisify } from 'node:util'
import { constants, zstdDecompress, zstdDecompressSync } from 'node:zlib'

const MAGIC = 0xfd2fb528
/** Below this many compressed bytes a call on the thread pool costs more than it gives (measured: 2.4 × at 15 KB). */
const SYNC_BYTES = 48 * 1024
/** What a frame says of its size is not believed beyond this before it is true. */
const MAX_CHUNK_BYTES = 16 * 1024 * 1024

const zstdDecompressAsync = promisify(zstdDecompress)

export interface ZstdContent {
  readonly content: Buffer
  /** Length of the frame. What follows it was not looked at. */
  readonly frameBytes: number
}

/**
 * The content of the frame that `bytes` begin with, of at most `maxBytes`. Node's decoder stops behind a frame without a
 * word about what follows, or goes on when the content happens to fill its buffer: whoever has one frame compares
 * `frameBytes`, whoever may have more asks again. Throws what Node throws.
 */
export async function unzstdFrame(bytes: Buffer, guessedBytes: number, maxBytes: number): Promise<ZstdContent> {
  // One byte more than the content: a full buffer makes Node get a second one and try to go on.
  const expectedBytes = (zstdContentBytes(bytes) ?? guessedBytes) + 1
  const chunkSize = Math.min(Math.max(expectedBytes, constants.Z_MIN_CHUNK), MAX_CHUNK_BYTES)
  const options = { chunkSize, maxOutputLength: maxBytes, info: true }
  const done: unknown =
    bytes.length < SYNC_BYTES ? zstdDecompressSync(bytes, options) : await zstdDecompressAsync(bytes, options)
  // What `info` answers is not in the types.
  const { buffer, engine } = done as { readonly buffer: Buffer; readonly engine: { readonly bytesWritten: number } }
  return { content: buffer, frameBytes: engine.bytesWritten }
}

/** True when a zstd frame ends in a checksum of its content. Source: RFC 8878 section 3.1.1.1.1. */
export function zstdHasChecksum(frame: Buffer): boolean {
  return frame.length >= 5 && frame.readUInt32LE(0) === MAGIC && (frame.readUInt8(4) & 0b100) !== 0
}

/**
 * The content size that a zstd frame declares, or undefined when it declares none (or is no zstd frame).
 * Source: RFC 8878 section 3.1.1.1.
 */
export function zstdContentBytes(frame: Buffer): number | undefined {
  if (frame.length < 6 || frame.readUInt32LE(0) !== MAGIC) return undefined
  const descriptor = frame.readUInt8(4)
  const isSingleSegment = (descriptor & 0b10_0000) !== 0
  const dictionaryIdBytes = [0, 1, 2, 4][descriptor & 0b11] ?? 0
  const at = 5 + (isSingleSegment ? 0 : 1) + dictionaryIdBytes
  const sizeFlag = descriptor >>> 6
  const sizeBytes = sizeFlag === 0 ? (isSingleSegment ? 1 : 0) : 2 ** sizeFlag
  if (sizeBytes === 0 || frame.length < at + sizeBytes) return undefined
  if (sizeBytes === 1) return frame.readUInt8(at)
  if (sizeBytes === 2) return frame.readUInt16LE(at) + 256
  if (sizeBytes === 4) return frame.readUInt32LE(at)
  const size = Number(frame.readBigUInt64LE(at))
  return Number.isSafeInteger(size) ? size : undefined
}
