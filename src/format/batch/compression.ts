import { promisify } from 'node:util'
import { gunzip, gzip, zstdCompress, zstdCompressSync } from 'node:zlib'
import { compressFrame, decompressFrame } from 'lz4-napi'
import { compress as snappyCompress, uncompress as snappyUncompress } from 'snappy'
import type { BatchCodec } from './record-batch.ts'
import { DecodeError } from './varint.ts'
import { unzstd, zstdFrameBound } from './zstd-frame.ts'

/**
 * Largest payload that a batch may grow to. A broker's limit bounds the compressed batch only, and a megabyte of zeros
 * compresses to 51 bytes; 1 GiB is beyond what any producer can build.
 */
const MAX_PAYLOAD_BYTES = 1024 ** 3

/** Below this many bytes the thread pool costs more than it gives. */
const SYNC_BYTES = 64 * 1024

const gunzipAsync = promisify(gunzip)
const gzipAsync = promisify(gzip)
const zstdCompressAsync = promisify(zstdCompress)

/** The records of a batch's payload. Small payloads come at once, big ones by the thread pool. Throws DecodeError. */
export async function decompressPayload(codec: BatchCodec, payload: Buffer): Promise<Buffer> {
  try {
    switch (codec) {
      case 'none':
        return payload
      case 'gzip':
        return await gunzipAsync(payload, { maxOutputLength: MAX_PAYLOAD_BYTES })
      case 'zstd':
        return await unzstd(payload, MAX_PAYLOAD_BYTES)
      case 'lz4':
        return await decompressFrame(payload)
      case 'snappy':
        return await unsnappy(payload)
    }
  } catch (cause) {
    if (cause instanceof DecodeError) throw cause
    throw new DecodeError(`a ${codec} payload that cannot be decompressed`, { cause })
  }
}

/** A payload for a batch of this codec. */
export async function compressPayload(codec: BatchCodec, records: Buffer): Promise<Buffer> {
  switch (codec) {
    case 'none':
      return records
    case 'gzip':
      return gzipAsync(records)
    case 'zstd':
      return records.length < SYNC_BYTES
        ? zstdCompressSync(records, { chunkSize: zstdFrameBound(records.length) })
        : zstdCompressAsync(records, { chunkSize: zstdFrameBound(records.length) })
    case 'lz4':
      return compressFrame(records)
    case 'snappy':
      return snappyCompress(records)
  }
}

/** Java's snappy: magic, two version numbers, then blocks of length and raw snappy. Others write one raw block. */
const XERIAL_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00])
const XERIAL_HEADER_BYTES = 16

async function unsnappy(payload: Buffer): Promise<Buffer> {
  if (!isXerialHeader(payload, 0)) return uncompressBlock(payload)
  const blocks: Buffer[] = []
  let bytes = 0
  for (let at = XERIAL_HEADER_BYTES; at < payload.length;) {
    // Streams that were put one behind the other each have a header, and Java reads on.
    if (isXerialHeader(payload, at)) {
      at += XERIAL_HEADER_BYTES
      continue
    }
    if (at + 4 > payload.length) throw new DecodeError('a snappy block without its length')
    const end = at + 4 + payload.readUInt32BE(at)
    if (end > payload.length) throw new DecodeError('a snappy block that runs over the end of the batch')
    const block = await uncompressBlock(payload.subarray(at + 4, end))
    bytes += block.length
    if (bytes > MAX_PAYLOAD_BYTES) throw new DecodeError('a snappy payload of more than 1 GiB')
    blocks.push(block)
    at = end
  }
  const [only] = blocks
  return blocks.length === 1 && only !== undefined ? only : Buffer.concat(blocks, bytes)
}

function isXerialHeader(payload: Buffer, at: number): boolean {
  return payload.subarray(at, at + XERIAL_MAGIC.length).equals(XERIAL_MAGIC)
}

/** Snappy's best is 64 bytes for three. The library makes room for whatever a block says of itself. */
const MAX_SNAPPY_RATIO = 22

async function uncompressBlock(block: Buffer): Promise<Buffer> {
  const bytes = snappyContentBytes(block)
  if (bytes > MAX_PAYLOAD_BYTES || bytes > block.length * MAX_SNAPPY_RATIO)
    throw new DecodeError(`a snappy block of ${block.length} bytes that claims ${bytes}`)
  const content = await snappyUncompress(block, { asBuffer: true })
  return typeof content === 'string' ? Buffer.from(content) : content
}

/** The content size at the beginning of a raw snappy block: a varint of 32 bits, without zig-zag. */
function snappyContentBytes(block: Buffer): number {
  let bytes = 0
  for (let n = 0; n < 5; n++) {
    const byte = block[n]
    if (byte === undefined) break
    bytes += (byte & 0x7f) * 2 ** (7 * n)
    if (byte < 0x80) return bytes
  }
  throw new DecodeError('a snappy block without its size')
}
