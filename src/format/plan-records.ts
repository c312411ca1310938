import { DecodeError } from './batch/varint.ts'
import { parseTileKey } from './keys.ts'
import {
  asFields,
  configValues,
  list,
  numbers,
  object,
  optionalText,
  optionalWhole,
  pairs,
  parseObject,
  partitionNumber,
  range,
  text,
  texts,
  topicName,
  whole,
} from './plan-fields.ts'
import type { Fields } from './plan-fields.ts'
import { chainName } from './plan.ts'
import type { PlanEnd, PlanEntry, PlanFile, PlanHead } from './plan.ts'

/** A plan record as Kafka stores it. */
export interface PlanRecord {
  readonly key: Buffer
  readonly value: Buffer
  readonly headers: readonly { readonly key: Buffer; readonly value: Buffer | null }[]
}

/** Of the main seed's plans: index of the file in its chain, and hash of the selected topics. */
const FILE_INDEX_HEADER = 'plan-restore.partition-file-index'
const TOPICS_SHA_HEADER = 'plan-restore.topics-sha'

export function encodePlanEntry(entry: PlanEntry, topicsSha: string): PlanRecord {
  const key = entry.kind === 'file' ? chainName(entry.target) : `@${entry.kind}`
  const headers =
    entry.kind === 'file' ? { [FILE_INDEX_HEADER]: String(entry.index), [TOPICS_SHA_HEADER]: topicsSha } : {}
  return {
    key: Buffer.from(key),
    value: Buffer.from(JSON.stringify(entry)),
    headers: Object.entries(headers).map(([name, value]) => ({ key: Buffer.from(name), value: Buffer.from(value) })),
  }
}

/** The entry that a record of a plan topic holds. Throws DecodeError for anything that is none. */
export function decodePlanEntry(value: Buffer | null): PlanEntry {
  const fields = parseObject(value)
  switch (fields['kind']) {
    case 'head':
      return decodeHead(fields)
    case 'file':
      return decodeFile(fields)
    case 'end':
      return { kind: 'end', planId: text(fields, 'planId'), partitions: decodeEnds(object(fields, 'partitions')) }
    default:
      throw new DecodeError(`a record of kind ${JSON.stringify(fields['kind'])}`)
  }
}

const MAX_INT64 = 2n ** 63n - 1n

function decodeHead(fields: Fields): PlanHead {
  const mapping = object(fields, 'mapping')
  const selection = object(fields, 'selection')
  const hold = text(fields, 'hold')
  const partitionMap = text(mapping, 'partitionMap')
  if (hold !== 'auto' && hold !== 'off') throw new DecodeError(`a hold of ${hold}`)
  if (partitionMap !== 'same' && partitionMap !== 'modulo') throw new DecodeError(`a partition map of ${partitionMap}`)
  const producerId = text(fields, 'producerId')
  if (!/^(0|[1-9]\d{0,18})$/.test(producerId) || BigInt(producerId) > MAX_INT64)
    throw new DecodeError(`a producer id of ${producerId}`)
  return {
    kind: 'head',
    restoreId: text(fields, 'restoreId'),
    producerId,
    planPartitions: whole(fields, 'planPartitions'),
    selection: { topics: texts(selection, 'topics'), excludeTopics: texts(selection, 'excludeTopics') },
    mapping: { targetPrefix: text(mapping, 'targetPrefix'), rename: pairs(mapping, 'rename'), partitionMap },
    sourceClusterId: optionalText(fields, 'sourceClusterId'),
    targetClusterId: text(fields, 'targetClusterId'),
    hold,
    brokerDefaults: configValues(object(fields, 'brokerDefaults')),
    targets: list(fields, 'targets').map(target => ({
      topic: topicName(target, 'topic'),
      topicId: optionalText(target, 'topicId'),
      created: target['created'] === true,
      finalConfigs: configValues(object(target, 'finalConfigs')),
      baseOffsets: numbers(target, 'baseOffsets'),
    })),
  }
}

function decodeFile(fields: Fields): PlanFile {
  const source = object(fields, 'source')
  const target = object(fields, 'target')
  const file = object(fields, 'object')
  const covers = range(object(fields, 'covers'), 'from', 'to')
  const slice = fields['slice'] === undefined ? undefined : range(object(fields, 'slice'), 'fromOffset', 'toOffset')
  const decoded: PlanFile = {
    kind: 'file',
    planId: text(fields, 'planId'),
    source: {
      topic: topicName(source, 'topic'),
      topicId: optionalText(source, 'topicId'),
      partition: partitionNumber(source),
    },
    target: { topic: topicName(target, 'topic'), partition: partitionNumber(target) },
    object: { key: text(file, 'key'), etag: text(file, 'etag'), bytes: whole(file, 'bytes') },
    covers: { from: covers[0], to: covers[1] },
    records: whole(fields, 'records'),
    recordsBefore: whole(fields, 'recordsBefore'),
    lastOffset: optionalWhole(fields, 'lastOffset'),
    slice: slice === undefined ? undefined : { fromOffset: slice[0], toOffset: slice[1] },
    index: whole(fields, 'index'),
  }
  checkFile(decoded)
  return decoded
}

/** What no planner writes: executors take the rest on trust. */
function checkFile(file: PlanFile): void {
  const { source, covers, slice, records, recordsBefore, lastOffset } = file
  const { key } = file.object
  const place = parseTileKey(key)
  if (place === undefined || place.topic !== source.topic || place.partition !== source.partition)
    throw new DecodeError(`the key ${key}, which is no file of ${source.topic}-${source.partition}`)
  const from = slice?.fromOffset ?? covers.from
  const to = slice?.toOffset ?? covers.to
  if (place.from !== covers.from || from < covers.from || to > covers.to)
    throw new DecodeError(`offsets ${from} to ${to} of ${key}`)
  if (records > to - from || !Number.isSafeInteger(recordsBefore + records))
    throw new DecodeError(`${records} records behind ${recordsBefore} others in ${key}`)
  if (lastOffset !== undefined && (records === 0 || lastOffset < from + records - 1 || lastOffset >= to))
    throw new DecodeError(`offset ${lastOffset} as the last one of ${records} records in ${key}`)
}

function decodeEnds(fields: Fields): PlanEnd['partitions'] {
  return Object.fromEntries(
    Object.entries(fields).map(([chain, of]) => [
      chain,
      { index: whole(asFields(of), 'index'), records: whole(asFields(of), 'records') },
    ]),
  )
}
