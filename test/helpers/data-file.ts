import { createHash } from 'node:crypto'
import type { TileKey } from '../../src/format/keys.ts'
import { tileKey } from '../../src/format/keys.ts'
import { compressBlock } from '../../src/format/ocf/block-codec.ts'
import { frameBlock } from '../../src/format/ocf/block-frame.ts'
import { encodeContainerHeader } from '../../src/format/ocf/container-header.ts'
import { recordSchema } from '../../src/format/record-schema.ts'
import type { TileContent, TileHeader } from '../../src/format/tile-header.ts'
import { tileHeaderToMeta } from '../../src/format/tile-header-meta.ts'
import { avroType, encodeAvroRecord } from './avro-referee.ts'
import type { DigestRecord } from './records.ts'

/** A data file of ours, made in memory: its records' bytes come from avsc, its container from src/format. */
export interface DataFile {
  readonly key: string
  readonly place: TileKey
  readonly header: TileHeader
  readonly bytes: Buffer
  /** Where each block begins in the file. */
  readonly blockStarts: readonly number[]
  /** What each block holds. */
  readonly contents: readonly Buffer[]
}

const type = avroType(recordSchema)
export const fileSync = Buffer.from('00112233445566778899aabbccddeeff', 'hex')

export async function dataFile(
  blocks: readonly (readonly DigestRecord[])[],
  {
    compress = content => compressBlock(content, 1),
    change = header => header,
  }: {
    readonly compress?: (content: Buffer) => Buffer | Promise<Buffer>
    readonly change?: (header: TileHeader) => TileHeader
  } = {},
): Promise<DataFile> {
  const contents = blocks.map(records => Buffer.concat(records.map(record => encodeAvroRecord(type, record))))
  const frames = await Promise.all(
    blocks.map(async (records, n) => Buffer.concat(frameBlock(records.length, await compress(contents[n]!), fileSync))),
  )
  const header = change(headerOf(blocks.flat(), frames))
  const place = placeOf(header)
  const start = encodeContainerHeader(tileHeaderToMeta(header), fileSync)
  let at = start.length
  const blockStarts = frames.map(frame => (at += frame.length) - frame.length)
  return {
    key: tileKey(place, place.from),
    place,
    header,
    bytes: Buffer.concat([start, ...frames]),
    blockStarts,
    contents,
  }
}

function placeOf({ topic, partition, coversFrom }: TileHeader): TileKey {
  return { topic, topicId: undefined, partition, lineage: undefined, from: coversFrom, isEncrypted: false }
}

/** What a writer says of these records, in these frames. */
export function headerOf(records: readonly DigestRecord[], frames: readonly Buffer[]): TileHeader {
  const first = Number(records[0]?.offset ?? 100n)
  const last = Number(records.at(-1)?.offset ?? 100n)
  return {
    clusterId: 'MkU3OEVBNTcwNTJENDM2Qg',
    topic: 'orders',
    topicId: 'Hx3y8Ra6RBe9-hFQXtB2Kg',
    partition: 3,
    coversFrom: Math.max(first - 2, 0),
    coversTo: last + 5,
    origin: 0,
    leaderEpoch: 4,
    gaps: [],
    writer: 'maxbrod test',
    content: contentOf(records, frames),
  }
}

function contentOf(records: readonly DigestRecord[], frames: readonly Buffer[]): TileContent {
  const blocks = Buffer.concat(frames)
  const times = records.map(({ timestamp }) => timestamp)
  const hasRecords = records.length > 0
  return {
    records: records.length,
    firstOffset: hasRecords ? Number(records[0]!.offset) : undefined,
    lastOffset: hasRecords ? Number(records.at(-1)!.offset) : undefined,
    timestampMin: hasRecords ? times.reduce((a, b) => (a < b ? a : b)) : undefined,
    timestampMax: hasRecords ? times.reduce((a, b) => (a > b ? a : b)) : undefined,
    timestampType: hasRecords ? 'create' : undefined,
    batchCodec: undefined,
    recordBytesMax: Math.max(0, ...records.map(record => encodeAvroRecord(type, record).length)),
    blocks: frames.length,
    blocksBytes: blocks.length,
    blocksSha256: createHash('sha256').update(blocks).digest('hex'),
  }
}

/** So many records from `from` on; what is in them does not matter. */
export function plainRecords(count: number, from = 100, valueBytes = 8): DigestRecord[] {
  return Array.from({ length: count }, (_, n) => ({
    offset: BigInt(from + n),
    timestamp: 1_700_000_000_000n + BigInt(n),
    key: Buffer.from(`k${n}`),
    value: Buffer.alloc(valueBytes, from + n),
    headers: n % 4 === 0 ? [[Buffer.from('h'), n % 8 === 0 ? null : Buffer.from('v')] as const] : [],
  }))
}

/** In blocks of `blockRecords`. */
export function inBlocks<T>(records: readonly T[], blockRecords: number): T[][] {
  return Array.from({ length: Math.ceil(records.length / blockRecords) }, (_, n) =>
    records.slice(n * blockRecords, (n + 1) * blockRecords),
  )
}
