import { keyStamp, parseKeyStamp } from './key-stamp.ts'

/**
 * The grammar of object keys (docs/formats.md, "Keys"). It is strict: what it does not accept is foreign, is listed as
 * such and never read. `@` cannot occur in a topic name, so nothing of ours collides with a topic.
 */

export interface TileKey {
  readonly topic: string
  /** Set for later incarnations of a topic, whose folder carries the id. */
  readonly topicId: string | undefined
  readonly partition: number
  /** Leader epoch of the lineage; undefined for the first one. */
  readonly lineage: number | undefined
  /** First offset that the file covers. */
  readonly from: number
  readonly isEncrypted: boolean
  /** Set for files that were made of others: the folder that they lie in beside the originals, `compacted/<utc>`. */
  readonly generation?: string | undefined
}

/** The folder that a partition's tiles lie in. */
export type PartitionPlace = Pick<TileKey, 'topic' | 'topicId' | 'partition' | 'lineage' | 'generation'>

/**
 * What files can be that were made of others. Compacted ones hold the latest record per key, the others exactly the records
 * that the originals have.
 */
export const generationKinds = ['compacted', 'merged', 'rewrapped'] as const
export type GenerationKind = (typeof generationKinds)[number]

const OFFSET_DIGITS = 19
const TOPIC = /^[a-zA-Z0-9._-]{1,249}$/
/** A Kafka Uuid in its own text form: 16 bytes in unpadded URL-safe base64, so that the last digit has two bits. */
const TOPIC_ID = /^[A-Za-z0-9_-]{21}[AQgw]$/
const PARTITION = /^(0|[1-9][0-9]{0,9})(?:@e(0|[1-9][0-9]{0,9}))?$/
const MAX_INT32 = 2 ** 31 - 1

/** The name of a generation, which is the folder of its files: `compacted/<utc>`, behind an `@` in keys. */
export function generationName(kind: GenerationKind, atMs: number): string {
  return `${kind}/${keyStamp(atMs)}`
}

/** The parts of such a name, or undefined for any that `generationName` would not have made. */
export function parseGenerationName(
  name: string,
): { readonly kind: GenerationKind; readonly atMs: number } | undefined {
  const [kindPart, stamp = '', ...more] = name.split('/')
  const kind = generationKinds.find(one => one === kindPart)
  const atMs = parseKeyStamp(stamp)
  return kind === undefined || atMs === undefined || more.length > 0 ? undefined : { kind, atMs }
}

/** Below it lie the generations of a kind. */
export function generationsPrefix(kind: GenerationKind): string {
  return `@${kind}/`
}

const SEAL = 'generation.json'

/** The object that says that a partition's files of a generation are complete, and what they were made of. */
export function sealKey(place: PartitionPlace): string {
  return `${partitionFolder(place)}${SEAL}`
}

/** Whose seal it is, or undefined for any key that `sealKey` would not have made for a generation. */
export function parseSealKey(key: string): PartitionPlace | undefined {
  const [kind, stamp, topicPart = '', partitionPart = '', name, ...more] = key.split('/')
  const generation = `${kind?.slice(1)}/${stamp}`
  if (name !== SEAL || more.length > 0 || parseGenerationName(generation) === undefined) return undefined
  const folder = parseTopicFolder(topicPart)
  const partition = parsePartitionFolder(partitionPart)
  if (folder === undefined || partition === undefined) return undefined
  const place = { ...folder, ...partition, generation }
  return sealKey(place) === key ? place : undefined
}

/** `<topic>[@<topicId>]/`: below it lie the partitions. */
export function topicFolder(topic: string, topicId: string | undefined): string {
  return topicId === undefined ? `${topic}/` : `${topic}@${topicId}/`
}

/** `<topic>[@<topicId>]/<partition>[@e<leaderEpoch>]/`, below `@<generation>/` for what was made of others. */
export function partitionFolder({ topic, topicId, partition, lineage, generation }: PartitionPlace): string {
  const beside = generation === undefined ? '' : `@${generation}/`
  return `${beside}${topicFolder(topic, topicId)}${partition}${lineage === undefined ? '' : `@e${lineage}`}/`
}

export function tileKey(place: PartitionPlace, from: number, isEncrypted = false): string {
  const name = `${place.topic}-${place.partition}-${from.toString().padStart(OFFSET_DIGITS, '0')}.avro`
  return `${partitionFolder(place)}${name}${isEncrypted ? '.age' : ''}`
}

/** The parts of a tile's key, or undefined for any key that `tileKey` would not have made. */
export function parseTileKey(key: string): TileKey | undefined {
  const parts = key.split('/')
  const generation = key.startsWith('@') ? parts.splice(0, 2).join('/').slice(1) : undefined
  if (generation !== undefined && parseGenerationName(generation) === undefined) return undefined
  const [topicPart, partitionPart, name, ...more] = parts
  if (topicPart === undefined || partitionPart === undefined || name === undefined || more.length > 0) return undefined
  const folder = parseTopicFolder(topicPart)
  const partition = parsePartitionFolder(partitionPart)
  const tail = /-([0-9]{19})\.avro(\.age)?$/.exec(name)
  if (folder === undefined || partition === undefined || tail === null) return undefined
  const from = Number(tail[1])
  if (!Number.isSafeInteger(from)) return undefined
  const beside = generation === undefined ? {} : { generation }
  const parsed = { ...folder, ...partition, from, isEncrypted: tail[2] !== undefined, ...beside }
  return tileKey(parsed, from, parsed.isEncrypted) === key ? parsed : undefined
}

/** The parts of a topic folder's name, or undefined when it is no topic's. */
export function parseTopicFolder(name: string): Pick<TileKey, 'topic' | 'topicId'> | undefined {
  const [topic, topicId, ...more] = name.split('@')
  if (topic === undefined || more.length > 0 || !isTopicName(topic)) return undefined
  if (topicId !== undefined && !TOPIC_ID.test(topicId)) return undefined
  return { topic, topicId }
}

/** The parts of a partition folder's name, or undefined when it is none. */
export function parsePartitionFolder(name: string): Pick<TileKey, 'partition' | 'lineage'> | undefined {
  const match = PARTITION.exec(name)
  if (match === null) return undefined
  const partition = Number(match[1])
  const lineage = match[2] === undefined ? undefined : Number(match[2])
  if (partition > MAX_INT32 || (lineage ?? 0) > MAX_INT32) return undefined
  return { partition, lineage }
}

/** Kafka's rule for topic names (`org.apache.kafka.common.internals.Topic`). */
export function isTopicName(name: string): boolean {
  return TOPIC.test(name) && name !== '.' && name !== '..'
}
