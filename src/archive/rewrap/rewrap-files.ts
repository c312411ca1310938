import { writeSeal } from '../../catalog/generations.ts'
import { corrupt } from '../../catalog/tile-header-reader.ts'
import { DecodeError } from '../../format/batch/varint.ts'
import { factsOfHeader, sealedFacts, tileFactsToMap } from '../../format/facts.ts'
import type { GenerationFile, GenerationSeal } from '../../format/generation.ts'
import { parseTileKey, tileKey } from '../../format/keys.ts'
import type { PartitionPlace } from '../../format/keys.ts'
import { must } from '../../runtime/assert.ts'
import { MaxbrodError } from '../../runtime/errors.ts'
import { newLimit } from '../../runtime/limit.ts'
import type { Random } from '../../runtime/random.ts'
import type { Resealing } from '../../storage/port.ts'
import { checkFile } from '../check-file.ts'
import type { FileReading } from '../check-file.ts'
import { beginSeal } from '../compact/begin-seal.ts'
import type { Source } from '../compact/source.ts'

export interface RewrapDeps {
  readonly resealing: Resealing
  /** Its store opens what was written. */
  readonly reading: FileReading
  readonly random: Random
}

export interface RewrapJob {
  readonly place: PartitionPlace & { readonly generation: string }
  /** Whole files, one behind the other. */
  readonly sources: readonly Source[]
  /** What those were made of that are files of generations. */
  readonly earlier: readonly GenerationFile[]
}

/** Worked on at the same time: each may be held in memory. */
const FILES = 4

/**
 * Makes a generation of the same files for other recipients, safely at every step: each is written beside its source, read back with
 * one of the keys and proved from its first byte to its last, and only when all were does the seal say that they are there.
 */
export async function rewrapFiles(deps: RewrapDeps, { place, sources, earlier }: RewrapJob): Promise<GenerationSeal> {
  const { signal, store } = deps.reading
  const pairs = await allOrNone(sources, source => rewrapFile(deps, place, source))
  const seal: GenerationSeal = {
    ...beginSeal(place, sources),
    files: pairs.map(({ file }) => file),
    sources: pairs.map(({ source }) => source),
    ...(earlier.length > 0 && { earlier }),
    timestampMax: sources.reduce<bigint | undefined>((latest, { header: { content } }) => {
      const { timestampMax: one } = content
      return latest === undefined || (one !== undefined && one > latest) ? one : latest
    }, undefined),
    droppedTombstones: undefined,
  }
  await writeSeal(store, place, seal, signal)
  return seal
}

/** As Promise.all, but nothing is at work any more when it rejects, and after a failure nothing is begun. */
async function allOrNone<T, U>(all: readonly T[], make: (one: T) => Promise<U>): Promise<U[]> {
  const limit = newLimit(FILES)
  let failure: { readonly error: unknown } | undefined
  const made = all.map(one =>
    limit(async () => {
      if (failure !== undefined) return undefined
      try {
        return await make(one)
      } catch (error) {
        failure ??= { error }
        return undefined
      }
    }),
  )
  const results = await Promise.all(made)
  if (failure !== undefined) throw failure.error
  return results.filter(result => result !== undefined)
}

async function rewrapFile(
  { resealing, reading, random }: RewrapDeps,
  place: PartitionPlace,
  source: Source,
): Promise<{ readonly file: GenerationFile; readonly source: GenerationFile }> {
  const { store, signal, throttle, onBytes } = reading
  const { header, from, to } = source
  signal.throwIfAborted()
  const see = async (bytes: number) => {
    await throttle.take(bytes, signal)
    onBytes(bytes)
  }
  const { body, sourceSha256 } = await resealing.reseal(source, see, signal)
  const key = tileKey(place, from, true)
  const uploadId = random.id()
  const facts = { ...factsOfHeader(header, place.lineage, uploadId), sealed: sealedFacts(header) }
  const put = await store.put(key, body, tileFactsToMap(facts, body.sha256), signal)
  const head = await store.head(key, signal)
  if (head === undefined) throw new MaxbrodError('OBJECT_MISSING', `${key} was put and is not there`, { key })
  if (!put.created && head.facts['upload-id'] !== uploadId)
    throw new MaxbrodError('OBJECT_CHANGED', `${key} was written by somebody else at the same moment`, {
      key,
      hint: 'run the command again',
    })
  const written = await checkFile({ key, place: must(parseTileKey(key), key), etag: head.etag }, reading)
  const { records, sha256 } = written
  const isSame = head.bytes === body.bytes && written.to === to && records === header.content.records
  // What was encrypted before is under the same key of the file: no other content would have opened.
  if (!isSame || (!source.place.isEncrypted && sha256 !== sourceSha256))
    throw corrupt(key, new DecodeError(`it does not hold what ${source.key} does`))
  const told = { from, to, records, sha256 }
  return {
    file: { ...told, key, bytes: body.bytes, storedSha256: body.sha256 },
    source: {
      ...told,
      key: source.key,
      bytes: source.bytes,
      ...(source.place.isEncrypted && { storedSha256: sourceSha256 }),
    },
  }
}
