import { tileKey } from '../../src/format/keys.ts'
import type { PartitionPlace } from '../../src/format/keys.ts'
import { compressBlock } from '../../src/format/ocf/block-codec.ts'
import { frameBlock } from '../../src/format/ocf/block-frame.ts'
import { encodeContainerHeader } from '../../src/format/ocf/container-header.ts'
import { recordSchema } from '../../src/format/record-schema.ts'
import type { TileHeader } from '../../src/format/tile-header.ts'
import { tileHeaderToMeta } from '../../src/format/tile-header-meta.ts'
import type { ObjectStore } from '../../src/storage/port.ts'
import { avroType, encodeAvroRecord } from './avro-referee.ts'
import { headerOf } from './data-file.ts'
import { bodyOf } from './object-bodies.ts'
import type { DigestRecord } from './records.ts'

const type = avroType(recordSchema)
const sync = Buffer.alloc(16, 0x5a)

/** What a planner would list of a file. */
export interface PutTile {
  readonly key: string
  readonly etag: string
  readonly bytes: number
  readonly covers: { readonly from: number; readonly to: number }
  readonly records: number
  /** Where each block begins in the file. */
  readonly blockStarts: readonly number[]
}

/** Puts a whole data file of ours into a store: these records in these blocks, covering these offsets. */
export async function putTile(
  store: ObjectStore,
  place: PartitionPlace,
  covers: { readonly from: number; readonly to: number },
  blocks: readonly (readonly DigestRecord[])[],
  change: (file: Buffer) => Buffer = file => file,
  more: Partial<TileHeader> = {},
): Promise<PutTile> {
  const frames: Buffer[] = []
  for (const records of blocks) {
    const content = Buffer.concat(records.map(record => encodeAvroRecord(type, record)))
    frames.push(Buffer.concat(frameBlock(records.length, await compressBlock(content, 1), sync)))
  }
  const { topic, topicId = 'Hx3y8Ra6RBe9-hFQXtB2Kg', partition } = place
  const header: TileHeader = {
    ...headerOf(blocks.flat(), frames),
    topic,
    topicId,
    partition,
    coversFrom: covers.from,
    coversTo: covers.to,
    ...more,
  }
  const start = encodeContainerHeader(tileHeaderToMeta(header), sync)
  const bytes = change(Buffer.concat([start, ...frames]))
  const key = tileKey(place, covers.from)
  const put = await store.put(key, bodyOf(bytes), {})
  if (!put.created) throw new Error(`${key} is there already`)
  let at = start.length
  const blockStarts = frames.map(frame => (at += frame.length) - frame.length)
  return { key, etag: put.etag, bytes: bytes.length, covers, records: blocks.flat().length, blockStarts }
}
