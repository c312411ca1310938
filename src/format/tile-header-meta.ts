import { BATCH_CODECS } from './batch/record-batch.ts'
import type { BatchCodec } from './batch/record-batch.ts'
import { DecodeError } from './batch/varint.ts'
import { contradictionIn } from './header-contradiction.ts'
import { recordSchema } from './record-schema.ts'
import { gapReasons } from './tile-header.ts'
import type { Gap, TileGeneration, TileHeader, TimestampType } from './tile-header.ts'

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
