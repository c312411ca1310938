import { createHash } from 'node:crypto'
import { BATCH_CODECS } from './batch/record-batch.ts'
import type { BatchCodec } from './batch/record-batch.ts'
import { DecodeError } from './batch/varint.ts'
import { parseGenerationName } from './keys.ts'
import { recordSchema } from './record-schema.ts'

/** Offsets that a tile covers although Kafka no longer had their records; closed-open. */
export interface Gap {
  readonly from: number
  readonly to: number
  readonly reason: GapReason
}

export const gapReasons = ['retention', 'corrupt-at-source'] as const
export type GapReason = (typeof gapReasons)[number]

export type TimestampType = 'create' | 'append' | 'mixed'

/** What the header of a data file says of it (docs/formats.md, "Data file"). */
export interface TileHeader {
  readonly clusterId: string
  readonly topic: string
  /** Undefined for brokers without topic ids. */
  readonly topicId: string | undefined
  readonly partition: number
  /** The tile: offsets `coversFrom` ≤ o < `coversTo`. */
  readonly coversFrom: number
  readonly coversTo: number
  /** First offset ever covered in this incarnation. */
  readonly origin: number
  readonly leaderEpoch: number
  readonly gaps: readonly Gap[]
  /** Program and version. */
  readonly writer: string
  readonly content: TileContent
  /** Only of files that were made of others. */
  readonly generation?: TileGeneration | undefined
}

/** What a file was made of that lies beside the originals. */
export interface TileGeneration {
  /** As in its key, without the `@`: `compacted/<utc>`. */
  readonly name: string
  /** The offsets that all its files of this partition cover together, closed-open. */
  readonly from: number
  readonly to: number
  /** How many files they were made of, and the SHA-256 over what is known of them: `sourcesHash`. */
  readonly sources: number
  readonly sourcesSha256: string
}

/** What is behind the header. Of a tile without records, only `blocksSha256` says something. */
export interface TileContent {
  readonly records: number
  readonly firstOffset: number | undefined
  readonly lastOffset: number | undefined
  readonly timestampMin: bigint | undefined
  readonly timestampMax: bigint | undefined
  readonly timestampType: TimestampType | undefined
  /** How the records were compressed in Kafka, as far as one word can say it: a restored topic should not be larger. */
  readonly batchCodec: BatchCodec | undefined
  /** Size of the largest record in its Avro form. */
  readonly recordBytesMax: number
  readonly blocks: number
  readonly blocksBytes: number
  readonly blocksSha256: string
}

/** Of the shortest record: offset, timestamp, two nulls, the end of its headers. */
const MIN_RECORD_BYTES = 5
/** Count and size of one byte each, the sync marker. */
const MIN_BLOCK_BYTES = 18
const SHA256_OF_NOTHING = createHash('sha256').digest('hex')

const FORMAT = '1'
const PREFIX = 'maxbrod.'

/** The metadata map of a data file's container header. */
export function tileHeaderToMeta(header: TileHeader): Map<string, string> {
  const { content } = header
  const facts: Record<string, string | number | bigint | undefined> = {
    format: FORMAT,
    'cluster.id': header.clusterId,
    topic: header.topic,
    'topic.id': header.topicId,
    partition: header.partition,
    'covers.from': header.coversFrom,
    'covers.to': header.coversTo,
    records: content.records,
    'offset.first': content.firstOffset,
    'offset.last': content.lastOffset,
    'timestamp.min': content.timestampMin,
    'timestamp.max': content.timestampMax,
    'timestamp.type': content.timestampType,
    'batch.codec': content.batchCodec,
    'record.bytes.max': content.recordBytesMax,
    blocks: content.blocks,
    'blocks.bytes': content.blocksBytes,
    'blocks.sha256': content.blocksSha256,
    gaps: header.gaps.length === 0 ? undefined : JSON.stringify(header.gaps),
    origin: header.origin,
    'leader.epoch': header.leaderEpoch,
    writer: header.writer,
    generation: header.generation?.name,
    'generation.from': header.generation?.from,
    'generation.to': header.generation?.to,
    'generation.sources': header.generation?.sources,
    'generation.sources.sha256': header.generation?.sourcesSha256,
  }
  const meta = new Map([
    ['avro.schema', recordSchema],
    ['avro.codec', 'zstandard'],
  ])
  for (const [name, value] of Object.entries(facts)) if (value !== undefined) meta.set(PREFIX + name, String(value))
  return meta
}

/** The tile that a container's metadata describes. Throws DecodeError when an entry is missing or contradicts another. */
export function tileHeaderFromMeta(meta: ReadonlyMap<string, string>): TileHeader {
  const text = (name: string) => {
    const value = meta.get(PREFIX + name)
    if (value === undefined) throw new DecodeError(`the header entry ${PREFIX}${name} is missing`)
    return value
  }
  const optional = <T>(name: string, read: (name: string) => T) => (meta.has(PREFIX + name) ? read(name) : undefined)
  const whole = (name: string) => wholeNumber(PREFIX + name, text(name))
  const big = (name: string) => bigNumber(PREFIX + name, text(name))

  if (text('format') !== FORMAT) throw new DecodeError(`format ${text('format')}, which this version does not know`)
  const header: TileHeader = {
    clusterId: text('cluster.id'),
    topic: text('topic'),
    topicId: optional('topic.id', text),
    partition: whole('partition'),
    coversFrom: whole('covers.from'),
    coversTo: whole('covers.to'),
    origin: whole('origin'),
    leaderEpoch: leaderEpoch(text('leader.epoch')),
    gaps: parseGaps(meta.get(`${PREFIX}gaps`)),
    writer: text('writer'),
    content: {
      records: whole('records'),
      firstOffset: optional('offset.first', whole),
      lastOffset: optional('offset.last', whole),
      timestampMin: optional('timestamp.min', big),
      timestampMax: optional('timestamp.max', big),
      timestampType: optional('timestamp.type', name => timestampType(text(name))),
      batchCodec: optional('batch.codec', name => batchCodec(text(name))),
      recordBytesMax: whole('record.bytes.max'),
      blocks: whole('blocks'),
      blocksBytes: whole('blocks.bytes'),
      blocksSha256: text('blocks.sha256'),
    },
    ...(meta.has(`${PREFIX}generation`) ? { generation: generationFrom(text, whole) } : {}),
  }
  const contradiction = contradictionIn(header)
  if (contradiction !== undefined) throw new DecodeError(contradiction)
  return header
}

function generationFrom(text: (name: string) => string, whole: (name: string) => number): TileGeneration {
  return {
    name: text('generation'),
    from: whole('generation.from'),
    to: whole('generation.to'),
    sources: whole('generation.sources'),
    sourcesSha256: text('generation.sources.sha256'),
  }
}

/** What cannot be true of a tile, or undefined: checked by who writes a header and by who reads one. */
export function contradictionIn(header: TileHeader): string | undefined {
  const { coversFrom, coversTo, origin, gaps, content, generation } = header
  const { records, firstOffset, lastOffset, timestampMin, timestampMax } = content
  if (!Number.isSafeInteger(coversTo)) return `an end of ${coversTo}`
  if (!/^[0-9a-f]{64}$/.test(content.blocksSha256)) return `a SHA-256 of ${content.blocksSha256}`
  if (coversTo <= coversFrom) return `covers ${coversFrom} to ${coversTo}`
  if (generation !== undefined) {
    const { name, from, to, sources } = generation
    if (parseGenerationName(name) === undefined) return `a generation of the name ${name}`
    if (from > coversFrom || to < coversTo)
      return `covers ${coversFrom} to ${coversTo} of a generation from ${from} to ${to}`
    if (sources < 1) return 'a generation that was made of nothing'
  }
  if (origin > coversFrom) return `an origin of ${origin} behind the tile's first offset ${coversFrom}`
  let gapOffsets = 0
  let end = coversFrom
  for (const { from, to } of gaps) {
    if (from < end || to <= from || to > coversTo)
      return `a gap from ${from} to ${to} in a tile from ${coversFrom} to ${coversTo}`
    gapOffsets += to - from
    end = to
  }
  if (records > coversTo - coversFrom - gapOffsets)
    return `${records} records on ${coversTo - coversFrom - gapOffsets} offsets`
  if (records === 0) {
    const isEmpty = content.blocks === 0 && content.blocksBytes === 0 && content.blocksSha256 === SHA256_OF_NOTHING
    return isEmpty && firstOffset === undefined ? undefined : 'blocks in a tile without records'
  }
  if (content.blocks < 1 || content.blocks > records) return `${records} records in ${content.blocks} blocks`
  if (content.blocksBytes < content.blocks * MIN_BLOCK_BYTES)
    return `${content.blocks} blocks in ${content.blocksBytes} bytes`
  if (timestampMin === undefined || timestampMax === undefined || content.timestampType === undefined)
    return `${records} records without the span of their timestamps`
  if (timestampMin > timestampMax) return `timestamps from ${timestampMin} to ${timestampMax}`
  if (content.recordBytesMax < MIN_RECORD_BYTES) return `a largest record of ${content.recordBytesMax} bytes`
  if (firstOffset === undefined || lastOffset === undefined) return `${records} records without first and last offset`
  if (firstOffset < coversFrom || lastOffset >= coversTo || lastOffset - firstOffset + 1 < records) {
    return `${records} records from ${firstOffset} to ${lastOffset} in a tile from ${coversFrom} to ${coversTo}`
  }
  return undefined
}

function parseGaps(text: string | undefined): Gap[] {
  if (text === undefined) return []
  let gaps: unknown
  try {
    gaps = JSON.parse(text)
  } catch (cause) {
    throw new DecodeError('a list of gaps that is no JSON', { cause })
  }
  if (!Array.isArray(gaps)) throw new DecodeError('gaps that are no list')
  return gaps.map((gap: unknown) => {
    const { from, to, reason } = (gap ?? {}) as Record<string, unknown>
    if (!isOffset(from) || !isOffset(to)) throw new DecodeError('a gap without offsets')
    const known = gapReasons.find(one => one === reason)
    if (known === undefined)
      throw new DecodeError(`a gap for the unknown reason ${typeof reason === 'string' ? reason : typeof reason}`)
    return { from, to, reason: known }
  })
}

function isOffset(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function wholeNumber(name: string, text: string): number {
  const value = /^(0|[1-9][0-9]*)$/.test(text) ? Number(text) : Number.NaN
  if (!Number.isSafeInteger(value)) throw new DecodeError(`the header entry ${name} says ${text}`)
  return value
}

function bigNumber(name: string, text: string): bigint {
  const value = /^(0|-?[1-9][0-9]{0,18})$/.test(text) ? BigInt(text) : undefined
  if (value === undefined || value !== BigInt.asIntN(64, value))
    throw new DecodeError(`the header entry ${name} says ${text}`)
  return value
}

/** −1 when no batch said one. */
function leaderEpoch(text: string): number {
  return text === '-1' ? -1 : wholeNumber(`${PREFIX}leader.epoch`, text)
}

function batchCodec(text: string): BatchCodec {
  const codec = BATCH_CODECS.find(known => known === text)
  if (codec === undefined) throw new DecodeError(`a batch codec of ${text}`)
  return codec
}

function timestampType(text: string): TimestampType {
  if (text === 'create' || text === 'append' || text === 'mixed') return text
  throw new DecodeError(`a timestamp type of ${text}`)
}
