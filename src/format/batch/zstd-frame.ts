import { promisify } from 'node:util'
import { zstdDecompress, zstdDecompressSync } from 'node:zlib'
import { MODEST_BYTES, withinLimit } from './within-limit.ts'

const MAGIC = 0xfd2fb528
/** Below this many compressed bytes a call on the thread pool costs more than it gives (measured: 2.4 × at 15 KB). */
const SYNC_BYTES = 48 * 1024

const zstdDecompressAsync = promisify(zstdDecompress)

/**
 * The content of all frames that `bytes` consist of, at most `maxBytes`; half of it when much content is in several, as
 * it is there twice while it is joined. Other writers make several frames, or skippable ones between them, and Node's encoder adds an empty
 * one when a frame fills its buffer to the last byte. Throws what Node throws, for bytes that are no frame, too.
 */
export async function unzstd(bytes: Buffer, maxBytes: number): Promise<Buffer> {
  const contents: Buffer[] = []
  let sum = 0
  for (let at = 0; at === 0 || at < bytes.length;) {
    const limit = sum === 0 ? maxBytes : Math.max(Math.floor(maxBytes / 2), Math.min(maxBytes, MODEST_BYTES))
    // Node takes no limit of 0; one byte too many is refused by the next line or by the next turn.
    const { content, frameBytes } = await unzstdFrame(bytes.subarray(at), Math.max(limit - sum, 1))
    if (content.length > 0) contents.push(content)
    sum += content.length
    if (sum > (contents.length > 1 ? limit : maxBytes)) throw new RangeError(`more than ${limit} bytes of content`)
    at += frameBytes
  }
  const [only = bytes.subarray(0, 0)] = contents
  return contents.length > 1 ? Buffer.concat(contents) : only
}

/** The content of the first frame, and how long that is: Node's decoder says nothing about bytes behind it. */
async function unzstdFrame(
  bytes: Buffer,
  maxBytes: number,
): Promise<{ readonly content: Buffer; readonly frameBytes: number }> {
  // Who streams does not say how large the content is. One byte more than the content: Node goes on when a buffer is full.
  const expectedBytes = (zstdContentBytes(bytes) ?? bytes.length * 4) + 1
  const done: unknown = await withinLimit({ expectedBytes, maxBytes }, options =>
    bytes.length < SYNC_BYTES && options.isModest
      ? zstdDecompressSync(bytes, { ...options, info: true })
      : zstdDecompressAsync(bytes, { ...options, info: true }),
  )
  // What `info` answers is not in the types.
  const { buffer, engine } = done as { readonly buffer: Buffer; readonly engine: { readonly bytesWritten: number } }
  return { content: buffer, frameBytes: engine.bytesWritten }
}

/**
 * A buffer that holds the frame of any content of so many bytes, and one byte more: Node's encoder begins a second frame
 * when the first one fills its buffer to the last byte. Source: ZSTD_compressBound in zstd.h, and the checksum.
 */
export function zstdFrameBound(contentBytes: number): number {
  return contentBytes + (contentBytes >>> 8) + 64 + 4 + 1
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
