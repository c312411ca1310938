import { constants, deflateRawSync, zstdCompressSync } from 'node:zlib'
import { dataKeepSchema } from '../../src/format/record-schema.ts'
import { encodeDataKeep } from './data-keep.ts'
import type { DataKeepPlace, DataKeepRecord, MapBlocks } from './data-keep.ts'
import { formatContainer } from './plain-container.ts'
import type { PlainBlock } from './plain-container.ts'
import type { Dice } from './seed.ts'

/** The program's zstd frames have no checksum. */
const codecs: Readonly<Record<string, (content: Buffer) => Buffer>> = {
  zstandard: content => zstdCompressSync(content, { params: { [constants.ZSTD_c_checksumFlag]: 0 } }),
  deflate: content => deflateRawSync(content),
  null: content => content,
}

/** Where kafka-data-keep puts a file. */
export function dataKeepKey({ topic, partition }: DataKeepPlace, from: bigint): string {
  return `${topic}/${partition}/${topic}-${partition}-${String(from).padStart(19, '0')}.avro`
}

/** Many small blocks; each map of headers in blocks by chance, with and without their sizes. */
export function dataKeepFile(records: readonly DataKeepRecord[], place: DataKeepPlace, dice: Dice): Buffer {
  const codec = dice.pick(Object.keys(codecs))
  const blocks: PlainBlock[] = []
  for (let at = 0; at < records.length;) {
    const some = records.slice(at, at + dice.between(1, 30))
    const content = some.map(record => encodeDataKeep(record, place, mapBlocks(record.headers.length, dice)))
    blocks.push({ records: BigInt(some.length), compressed: codecs[codec]!(Buffer.concat(content)) })
    at += some.length
  }
  const meta = [
    ['avro.schema', dataKeepSchema],
    ['avro.codec', codec],
  ] as const
  return formatContainer({ meta, sync: dice.bytes(16), blocks })
}

function mapBlocks(headers: number, dice: Dice): MapBlocks {
  const blocks: number[] = []
  for (let left = headers; left > 0;) {
    const count = dice.between(1, left)
    blocks.push(dice.between(0, 1) === 0 ? count : -count)
    left -= count
  }
  return blocks
}

/** A record of any kind. */
export function dataKeepRecord(offset: number, dice: Dice): DataKeepRecord {
  const field = (likely: number) => (dice.between(0, likely) === 0 ? null : dice.bytes(dice.between(0, 200)))
  const headers = Array.from({ length: dice.between(0, 4) }, (_, n) => {
    const name = dice.pick(['b', 'a', '', '__proto__', 'restore.source-offset'])
    return [Buffer.from(`${name}${n === 0 ? '' : n}`), dice.bytes(dice.between(0, 20))] as const
  })
  const timestamp = dice.between(0, 20) === 0 ? -1n : BigInt(1_600_000_000_000 + offset)
  return { offset: BigInt(offset), timestamp, key: field(4), value: field(10), headers }
}
