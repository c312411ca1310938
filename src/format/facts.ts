import { createHash } from 'node:crypto'
import type { TileHeader } from './tile-header.ts'

/**
 * The string map beside a tile's object (docs/formats.md, "Facts beside the object"): what a writer must know of a tile
 * that it may not be able to decrypt. Readers trust the file's header instead.
 */
export interface TileFacts {
  readonly clusterId: string
  readonly topicId: string | undefined
  readonly lineage: number | undefined
  readonly coversTo: number
  readonly records: number
  /** Random, kept with the spool: tells an upload of our own whose answer was lost from somebody else's. */
  readonly uploadId: string
  /** Beside encrypted files only. */
  readonly sealed?: SealedFacts | undefined
}

/** What a writer must know of an encrypted file beside, because only who holds a secret key can read its header. */
export interface SealedFacts {
  readonly topic: string
  readonly partition: number
  readonly coversFrom: number
  readonly origin: number
  /** Of its last record; −1 when unknown. */
  readonly leaderEpoch: number
}

export function tileFactsToMap(facts: TileFacts, sha256: string): Record<string, string> {
  return {
    'cluster-id': facts.clusterId,
    ...(facts.topicId === undefined ? {} : { 'topic-id': facts.topicId }),
    ...(facts.lineage === undefined ? {} : { lineage: String(facts.lineage) }),
    'covers-to': String(facts.coversTo),
    records: String(facts.records),
    'upload-id': facts.uploadId,
    ...(facts.sealed === undefined ? {} : sealedToMap(facts.sealed)),
    sha256,
  }
}

function sealedToMap({ topic, partition, coversFrom, origin, leaderEpoch }: SealedFacts): Record<string, string> {
  return {
    topic,
    partition: String(partition),
    'covers-from': String(coversFrom),
    origin: String(origin),
    'leader-epoch': String(leaderEpoch),
  }
}

/** The facts in an object's map, or undefined when it is not one that `tileFactsToMap` made. */
export function tileFactsFromMap(map: Readonly<Record<string, string>>): TileFacts | undefined {
  const coversTo = wholeNumber(map['covers-to'])
  const records = wholeNumber(map['records'])
  const lineage = wholeNumber(map['lineage'])
  const clusterId = map['cluster-id']
  const uploadId = map['upload-id']
  if (coversTo === undefined || records === undefined || clusterId === undefined || uploadId === undefined)
    return undefined
  if (lineage === undefined && map['lineage'] !== undefined) return undefined
  const sealed = sealedFromMap(map)
  const known = { clusterId, topicId: map['topic-id'], lineage, coversTo, records, uploadId }
  return sealed === undefined ? known : { ...known, sealed }
}

function sealedFromMap(map: Readonly<Record<string, string>>): SealedFacts | undefined {
  const { topic } = map
  const partition = wholeNumber(map['partition'])
  const coversFrom = wholeNumber(map['covers-from'])
  const origin = wholeNumber(map['origin'])
  const leaderEpoch = map['leader-epoch'] === '-1' ? -1 : wholeNumber(map['leader-epoch'])
  if (topic === undefined || partition === undefined || coversFrom === undefined) return undefined
  if (origin === undefined || leaderEpoch === undefined) return undefined
  return { topic, partition, coversFrom, origin, leaderEpoch }
}

function wholeNumber(text: string | undefined): number | undefined {
  const value = text !== undefined && /^(0|[1-9][0-9]*)$/.test(text) ? Number(text) : Number.NaN
  return Number.isSafeInteger(value) ? value : undefined
}

/** Facts of an object that only says what it is by its content. */
export function plainFacts(content: Uint8Array): Record<string, string> {
  return { sha256: createHash('sha256').update(content).digest('hex') }
}

/** True when both speak of the same incarnation and lineage of a topic of the same cluster. */
export function isSameIdentity(
  a: Pick<TileFacts, 'clusterId' | 'topicId' | 'lineage'>,
  b: Pick<TileFacts, 'clusterId' | 'topicId' | 'lineage'>,
): boolean {
  return a.clusterId === b.clusterId && a.topicId === b.topicId && a.lineage === b.lineage
}

/** The facts that a file's header bears out. */
export function factsOfHeader(header: TileHeader, lineage: number | undefined, uploadId: string): TileFacts {
  const { clusterId, topicId, coversTo } = header
  return { clusterId, topicId, lineage, coversTo, records: header.content.records, uploadId }
}

/** What is told beside an encrypted file, as its header has it. */
export function sealedFacts({ topic, partition, coversFrom, origin, leaderEpoch }: TileHeader): SealedFacts {
  return { topic, partition, coversFrom, origin, leaderEpoch }
}
