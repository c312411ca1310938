import { tileKey } from '../../src/format/keys.ts'
import { compressBlock } from '../../src/format/ocf/block-codec.ts'
import { frameBlock } from '../../src/format/ocf/block-frame.ts'
import { encodeContainerHeader } from '../../src/format/ocf/container-header.ts'
import { recordSchema } from '../../src/format/record-schema.ts'
import { tileHeaderToMeta } from '../../src/format/tile-header-meta.ts'
import { avroType, encodeAvroRecord } from './avro-referee.ts'
import { fileSync, headerOf, plainRecords } from './data-file.ts'

const RECORDS = 20
const records = plainRecords(RECORDS, 0)
const type = avroType(recordSchema)
const content = Buffer.concat(records.map(record => encodeAvroRecord(type, record)))
const frame = Buffer.concat(frameBlock(RECORDS, await compressBlock(content, 1), fileSync))
const template = headerOf(records, [frame])

/** So many files, evenly over all partitions. Only their headers tell the truth: who looks at many files reads nothing else. */
export function* manyFiles(
  files: number,
  topics: number,
  partitions: number,
): Generator<{ readonly key: string; readonly bytes: Buffer }> {
  const each = Math.ceil(files / topics / partitions)
  for (let n = 0; n < files; n++) {
    const chain = Math.floor(n / each)
    const from = (n % each) * RECORDS
    const place = { topic: `scale-${Math.floor(chain / partitions)}`, partition: chain % partitions }
    const header = {
      ...template,
      ...place,
      coversFrom: from,
      coversTo: from + RECORDS,
      content: { ...template.content, firstOffset: from, lastOffset: from + RECORDS - 1 },
    }
    const key = tileKey({ ...place, topicId: undefined, lineage: undefined }, from)
    yield { key, bytes: Buffer.concat([encodeContainerHeader(tileHeaderToMeta(header), fileSync), frame]) }
  }
}
