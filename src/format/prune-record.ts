import { DecodeError } from './batch/varint.ts'
import { parsePartitionFolder, parseTopicFolder, partitionFolder } from './keys.ts'
import type { PartitionPlace } from './keys.ts'

/** What a prune was about to remove: written before the first object goes, so that what is missing is explained at any moment. */
export interface PruneRecord {
  readonly writer: string
  readonly partitions: readonly PrunedRange[]
  /** Keys of other objects: group snapshots, points, definitions. */
  readonly objects: readonly string[]
}

/** The oldest files of a partition and lineage: from `to` on, its files are there. */
export interface PrunedRange {
  readonly place: PartitionPlace
  readonly from: number
  readonly to: number
  readonly files: number
  /** Undefined when one of the files does not say. */
  readonly records: number | undefined
  readonly bytes: number
}

export function encodePruneRecord({ writer, partitions, objects }: PruneRecord): Buffer {
  const lines = partitions.map(({ place, ...range }) => ({ folder: partitionFolder(place).slice(0, -1), ...range }))
  return Buffer.from(`${JSON.stringify({ format: 1, writer, partitions: lines, objects }, undefined, 1)}\n`)
}

/** Throws DecodeError. */
export function decodePruneRecord(content: Buffer): PruneRecord {
  const { format, writer, partitions, objects } = parseObject(content)
  if (format !== 1) throw new DecodeError(`its format is ${JSON.stringify(format)}, not 1`)
  if (typeof writer !== 'string' || !Array.isArray(partitions) || !Array.isArray(objects))
    throw new DecodeError('it does not say what was pruned')
  if (!objects.every(key => typeof key === 'string')) throw new DecodeError('it names objects that have no keys')
  return { writer, partitions: partitions.map(rangeOf), objects }
}

function parseObject(content: Buffer): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(content.toString())
    if (typeof parsed === 'object' && parsed !== null) return parsed as Record<string, unknown>
  } catch {
    // told below
  }
  throw new DecodeError('it is not the JSON of a prune')
}

function rangeOf(line: unknown): PrunedRange {
  const { folder, from, to, files, records, bytes } = (line ?? {}) as Record<string, unknown>
  const [topicPart = '', partitionPart = '', ...more] = typeof folder === 'string' ? folder.split('/') : []
  const topic = parseTopicFolder(topicPart)
  const partition = parsePartitionFolder(partitionPart)
  const isRange = isCount(from) && isCount(to) && from < to && isCount(files) && isCount(bytes)
  if (topic === undefined || partition === undefined || more.length > 0 || !isRange)
    throw new DecodeError(`it holds a range that is none: ${JSON.stringify(line)?.slice(0, 200)}`)
  const place = { ...topic, ...partition }
  return { place, from, to, files, records: isCount(records) ? records : undefined, bytes }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
