import { promisify } from 'node:util'
import { constants, inflateRaw, zstdCompress } from 'node:zlib'
import { unzstd, zstdContentBytes, zstdFrameBound } from '../batch/zstd-frame.ts'
import { DecodeError } from '../batch/varint.ts'
import { withinLimit } from '../batch/within-limit.ts'

/** Block codecs of readable files, by the names of the Avro specification; we write `zstandard`. */
export const BLOCK_CODECS = ['null', 'deflate', 'zstandard'] as const
export type BlockCodec = (typeof BLOCK_CODECS)[number]

const zstdCompressAsync = promisify(zstdCompress)
const inflateRawAsync = promisify(inflateRaw)

/**
 * One zstd frame with content size and checksum, made on the thread pool. `content` must not change meanwhile.
 */
export function compressBlock(content: Buffer, level: number): Promise<Buffer> {
  return zstdCompressAsync(content, {
    chunkSize: zstdFrameBound(content.length),
    pledgedSrcSize: content.length,
    params: { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_checksumFlag]: 1 },
  })
}

/** A block's content. Throws DecodeError when it cannot be decompressed or would be larger than `maxBytes`. */
export async function decompressBlock(codec: BlockCodec, block: Buffer, maxBytes: number): Promise<Buffer> {
  try {
    switch (codec) {
      case 'null':
        return block
      case 'deflate':
        return await inflate(block, maxBytes)
      case 'zstandard':
        return await unzstdBlock(block, maxBytes)
    }
  } catch (cause) {
    if (cause instanceof DecodeError) throw cause
    throw new DecodeError(
      `a ${codec} block that cannot be decompressed: ${cause instanceof Error ? cause.message : 'no reason given'}`,
      { cause },
    )
  }
}

async function unzstdBlock(block: Buffer, maxBytes: number): Promise<Buffer> {
  const contentBytes = zstdContentBytes(block)
  if (contentBytes !== undefined && contentBytes > maxBytes)
    throw new DecodeError(`a block of ${contentBytes} bytes, more than the limit of ${maxBytes}`)
  return unzstd(block, maxBytes)
}

async function inflate(block: Buffer, maxBytes: number): Promise<Buffer> {
  const done: unknown = await withinLimit(
    { expectedBytes: block.length * 4, maxBytes },
    ({ chunkSize, maxOutputLength }) => inflateRawAsync(block, { chunkSize, maxOutputLength, info: true }),
  )
  // What `info` answers is not in the types.
  const { buffer, engine } = done as { readonly buffer: Buffer; readonly engine: { readonly bytesWritten: number } }
  if (engine.bytesWritten !== block.length)
    throw new DecodeError(`${block.length - engine.bytesWritten} bytes behind a deflate stream`)
  return buffer
}
