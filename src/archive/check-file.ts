import { scanRecords } from '../catalog/scan-records.ts'
import type { ScannedRecord } from '../catalog/scan-records.ts'
import type { ReadingLimits } from '../catalog/decode-ahead.ts'
import type { FileHeader } from '../catalog/tile-header-reader.ts'
import { factsOfHeader, isSameIdentity, tileFactsFromMap } from '../format/facts.ts'
import type { SealedFacts } from '../format/facts.ts'
import { DecodeError } from '../format/batch/varint.ts'
import { corrupt } from '../catalog/tile-header-reader.ts'
import type { TileHeader } from '../format/tile-header.ts'
import type { Facts } from '../storage/port.ts'
import { HeaderProof } from './header-proof.ts'
import type { SurveyedFile } from './survey.ts'
import { Tap } from './tap.ts'
import type { Tapping } from './tap.ts'

/** A file that was read from its first byte to its last, and is what it says. */
export interface SoundFile {
  /** Of the content, if it is encrypted. */
  readonly sha256: string
  readonly bytes: number
  /** Of an encrypted file as it is stored, if it says so beside. */
  readonly storedSha256: string | undefined
  readonly records: number
  /** Offset behind what it covers; for a file of kafka-data-keep, behind its last record. */
  readonly to: number
  /** False when no checksum beside the file covers its header: a flipped bit in a word of it might not show. */
  readonly isHeaderProven: boolean
}

export type FileReading = ReadingLimits & Tapping

/** Sees a record. What it answers with is waited for, if it is a promise. */
export type Visit = (record: ScannedRecord) => void | Promise<void>

/**
 * Reads all of a file, and compares bytes, blocks, records, header, name, and the facts beside it with each other. Throws
 * OBJECT_CORRUPT at the first thing that is wrong, OBJECT_CHANGED, OBJECT_MISSING, OBJECT_LIMIT.
 */
export async function checkFile(
  { key, place, etag }: Pick<SurveyedFile, 'key' | 'place' | 'etag'>,
  reading: FileReading,
  visit: Visit = () => undefined,
): Promise<SoundFile> {
  const tap = new Tap(reading)
  let header: FileHeader | undefined
  let proof: HeaderProof | undefined
  let records = 0
  let to = place.from
  await scanRecords(
    { store: tap, key, place, etag },
    reading,
    record => {
      const { spans, start, end } = record
      records++
      to = spans.offset + 1
      proof?.add(spans.offset, spans.timestamp, end - start)
      return visit(record)
    },
    found => {
      header = found
      if (found.kind === 'maxbrod') proof = new HeaderProof(found.tile)
    },
  )
  const { sha256, bytes, facts } = tap.end()
  const tile = header?.kind === 'maxbrod' ? header.tile : undefined
  try {
    proof?.finish()
    if (tile !== undefined) compareFacts(facts, tile, place.lineage)
    if (!place.isEncrypted && facts['sha256'] !== undefined && facts['sha256'] !== sha256)
      throw new DecodeError('its bytes have another SHA-256 than the one that was stored beside it')
  } catch (error) {
    throw corrupt(key, error)
  }
  // Whoever altered an encrypted header could not have sealed it again.
  const isHeaderProven = place.isEncrypted || facts['sha256'] !== undefined
  const storedSha256 = place.isEncrypted ? facts['sha256'] : undefined
  return { sha256, bytes, storedSha256, records, to: tile?.coversTo ?? to, isHeaderProven }
}

function compareFacts(map: Facts, tile: TileHeader, lineage: number | undefined): void {
  const facts = tileFactsFromMap(map)
  if (facts === undefined) return
  const told = factsOfHeader(tile, lineage, '')
  if (!isSameIdentity(facts, told) || facts.coversTo !== told.coversTo || facts.records !== told.records)
    throw new DecodeError('the facts beside it contradict its header')
  if (facts.sealed !== undefined && !isSealedAs(facts.sealed, tile))
    throw new DecodeError('the facts beside it contradict its header, and workers go by them')
}

function isSealedAs({ topic, partition, coversFrom, origin, leaderEpoch }: SealedFacts, tile: TileHeader): boolean {
  const isThere = topic === tile.topic && partition === tile.partition && coversFrom === tile.coversFrom
  return isThere && origin === tile.origin && leaderEpoch === tile.leaderEpoch
}
