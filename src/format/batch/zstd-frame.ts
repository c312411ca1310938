const MAGIC = 0xfd2fb528

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
