import { deflateRawSync, zstdCompressSync } from 'node:zlib'
import { dataKeepSchema } from '../../src/format/record-schema.ts'
import type { DataFile } from '../helpers/data-file.ts'
import { dataFile, inBlocks, plainRecords } from '../helpers/data-file.ts'
import { encodeDataKeep } from '../helpers/data-keep.ts'
import type { DataKeepRecord } from '../helpers/data-keep.ts'
import { encodeBatch } from '../helpers/plain-batch.ts'
import type { PlainContainer } from '../helpers/plain-container.ts'
import { readGolden } from '../helpers/golden.ts'
import type { Dice } from '../helpers/seed.ts'
import { randomRecords } from './edits.ts'

/** What is changed: whole and sound files and batches. */
export interface Corpus {
  readonly files: readonly DataFile[]
  readonly dataKeep: readonly { readonly file: PlainContainer; readonly codec: string; readonly from: number }[]
  readonly batches: readonly Buffer[]
}

export const dataKeepPlace = { topic: 'orders', partition: 3 }

export async function makeCorpus(dice: Dice): Promise<Corpus> {
  const lists = [1, 2, 5, 12, 40].map(count => randomRecords(dice, count, dice.pick([0, 100, 2 ** 40])))
  const files = await Promise.all([
    dataFile([]),
    dataFile(inBlocks(plainRecords(12), 3)),
    dataFile(inBlocks(plainRecords(2, 100, 270_000), 1)),
    ...lists.map(records => dataFile(inBlocks(records, dice.pick([1, 2, 7])))),
  ])
  const dataKeep = lists.flatMap(records =>
    ['null', 'deflate', 'zstandard'].map(codec => keptFile(dice, records, codec)),
  )
  const golden = readGolden().filter(({ bytes, name }) => bytes.length < 20_000 && !name.startsWith('magic'))
  return { files, dataKeep, batches: [...golden.map(({ bytes }) => bytes), ...lists.map(list => encodeBatch(list))] }
}

function keptFile(dice: Dice, records: readonly DataKeepRecord[], codec: string): Corpus['dataKeep'][number] {
  const blocks = inBlocks(records, dice.pick([1, 3, 10])).map(run => {
    const content = Buffer.concat(
      run.map(record => encodeDataKeep(record, dataKeepPlace, mapBlocks(dice, record.headers.length))),
    )
    return { records: BigInt(run.length), compressed: compressed(codec, content) }
  })
  const meta = [
    ['avro.schema', dataKeepSchema],
    ['avro.codec', codec],
  ] as const
  return { file: { meta, sync: dice.bytes(16), blocks }, codec, from: Number(records[0]!.offset) }
}

/** The ways in which an encoder may cut a map. */
function mapBlocks(dice: Dice, headers: number): number[] {
  if (headers === 0) return []
  return dice.pick([[headers], [-headers], Array<number>(headers).fill(1), Array<number>(headers).fill(-1)])
}

export function compressed(codec: string, content: Buffer): Buffer {
  if (codec === 'zstandard') return zstdCompressSync(content)
  return codec === 'deflate' ? deflateRawSync(content) : content
}
