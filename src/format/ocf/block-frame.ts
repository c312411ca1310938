import { integerBytes, writeInteger } from '../batch/varint.ts'

/** The pieces of a block as they stand in a file: record count and size, the compressed bytes, the sync marker. */
export function frameBlock(records: number, compressed: Buffer, sync: Buffer): readonly [Buffer, Buffer, Buffer] {
  const prefix = Buffer.alloc(integerBytes(records) + integerBytes(compressed.length))
  writeInteger(prefix, writeInteger(prefix, 0, records), compressed.length)
  return [prefix, compressed, sync]
}
