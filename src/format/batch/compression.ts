import { promisify } from 'node:util'
import { constants, gunzip, gzip, zstdCompress, zstdCompressSync, zstdDecompress, zstdDecompressSync } from 'node:zlib'
import { compressFrame, decompressFrame } from 'lz4-napi'
import { compress as snappyCompress, uncompress as snappyUncompress } from 'snappy'
import type { BatchCodec } from './record-batch.ts'
import { DecodeError } from './varint.ts'
import { zstdContentBytes } from './zstd-frame.ts'

/**
 * Largest payload that a batch may grow to. A broker's limit bounds the compressed batch only, and a megabyte of zeros
 * compresses to 51 bytes; 1 GiB is beyond what any producer can build.
 */
export const MAX_PAYLOAD_BYTES = 1024 ** 3

/** Below this many bytes the thread pool costs more than it gives. */
const SYNC_BYTES = 64 * 1024

const gunzipAsync = promisify(gunzip)
const gzipAsync = promisify(gzip)
const zstdDecompressAsync = promisify(zstdDecompress)
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
        return await unzstd(payload)
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
        ? zstdCompressSync(records)
        : zstdCompressAsync(records, { chunkSize: records.length })
    case 'lz4':
      return compressFrame(records)
    case 'snappy':
      return snappyCompress(records)
  }
}

async function unzstd(payload: Buffer): Promise<Buffer> {
  // Java's producer streams, so its frames often do not say how large they are.
  const options = {
    chunkSize: Math.min(
      Math.max(zstdContentBytes(payload) ?? payload.length * 4, constants.Z_MIN_CHUNK),
      16 * 1024 * 1024,
    ),
    maxOutputLength: MAX_PAYLOAD_BYTES,
  }
  return payload.length < SYNC_BYTES ? zstdDecompressSync(payload, options) : zstdDecompressAsync(payload, options)
}

/** Java's snappy: magic, two version numbers, then blocks of length and raw snappy. Others write one raw block. */
const XERIAL_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00])
const XERIAL_HEADER_BYTES = 16

async function unsnappy(payload: Buffer): Promise<Buffer> {
  if (!payload.subarray(0, XERIAL_MAGIC.length).equals(XERIAL_MAGIC)) return uncompressBlock(payload)
  const blocks: Buffer[] = []
  let bytes = 0
  for (let at = XERIAL_HEADER_BYTES; at < payload.length;) {
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

async function uncompressBlock(block: Buffer): Promise<Buffer> {
  const content = await snappyUncompress(block, { asBuffer: true })
  return typeof content === 'string' ? Buffer.from(content) : content
}
