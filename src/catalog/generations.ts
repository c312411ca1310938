import { DecodeError } from '../format/batch/varint.ts'
import { plainFacts } from '../format/facts.ts'
import { decodeSeal, encodeSeal } from '../format/generation.ts'
import type { GenerationSeal } from '../format/generation.ts'
import {
  generationKinds,
  generationsPrefix,
  parseGenerationName,
  parseSealKey,
  parseTileKey,
  partitionFolder,
  sealKey,
} from '../format/keys.ts'
import type { GenerationKind, PartitionPlace } from '../format/keys.ts'
import { must } from '../runtime/assert.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import type { ListedObject, ObjectStore } from '../storage/port.ts'
import { bodyOf } from './object-body.ts'
import { readWhole } from './read-whole.ts'
import type { Listing, ListedTile } from './tile-list.ts'
import { corrupt } from './tile-header-reader.ts'

/** A partition's files of a generation, as a listing shows them. */
export interface ListedGeneration {
  readonly place: PartitionPlace & { readonly generation: string }
  readonly kind: GenerationKind
  /** When it was begun. */
  readonly atMs: number
  /** In the order of their offsets. */
  readonly files: readonly ListedTile[]
  /** Undefined for files that nobody finished: they count for nothing. */
  readonly seal: ListedObject | undefined
}

const MAX_SEAL_BYTES = 256 * 1024 * 1024

/** The generations that lie beside the originals, finished or not, the oldest of each kind first. */
export async function listGenerations(
  store: ObjectStore,
  { onForeign, signal }: Listing,
  kinds: readonly GenerationKind[] = generationKinds,
): Promise<ListedGeneration[]> {
  const found: ListedGeneration[] = []
  for (const kind of kinds) {
    const folders = new Map<string, { place: PartitionPlace; files: ListedTile[]; seal: ListedObject | undefined }>()
    for await (const object of store.list(generationsPrefix(kind), { signal })) {
      const tile = parseTileKey(object.key)
      const place = tile ?? parseSealKey(object.key)
      if (place === undefined) {
        onForeign(object.key)
        continue
      }
      const name = partitionFolder(place)
      const folder = folders.get(name) ?? { place: plainPlace(place), files: [], seal: undefined }
      folders.set(name, folder)
      if (tile === undefined) folder.seal = object
      else folder.files.push({ ...object, place: tile })
    }
    for (const { place, files, seal } of folders.values()) {
      const generation = must(place.generation, 'generation')
      const { atMs } = must(parseGenerationName(generation), generation)
      found.push({ place: { ...place, generation }, kind, atMs, files, seal })
    }
  }
  return found
}

function plainPlace({ topic, topicId, partition, lineage, generation }: PartitionPlace): PartitionPlace {
  return { topic, topicId, partition, lineage, generation }
}

/**
 * What a finished generation says of itself; undefined for one that is not finished. Throws OBJECT_CORRUPT when that is
 * damaged, or when the files are not there that it names.
 */
export async function readSeal(
  store: ObjectStore,
  { place, files, seal }: Pick<ListedGeneration, 'place' | 'files' | 'seal'>,
  signal?: AbortSignal,
): Promise<GenerationSeal | undefined> {
  if (seal === undefined) return undefined
  const content = await readWhole(store, seal.key, MAX_SEAL_BYTES, signal)
  if (content === undefined) return undefined
  try {
    const told = decodeSeal(content, place)
    const sizes = new Map(files.map(({ key, bytes }) => [key, bytes]))
    for (const { key, bytes } of told.files) {
      const there = sizes.get(key)
      if (there !== bytes)
        throw new DecodeError(`${key} ${there === undefined ? 'is not there' : `has ${there} bytes, not ${bytes}`}`)
    }
    return told
  } catch (cause) {
    throw corrupt(seal.key, cause)
  }
}

/** Says that a generation is complete: the last step of making one. Throws OBJECT_CHANGED when somebody else has. */
export async function writeSeal(
  store: ObjectStore,
  place: PartitionPlace,
  seal: GenerationSeal,
  signal?: AbortSignal,
): Promise<string> {
  const key = sealKey(place)
  const content = encodeSeal(seal)
  if ((await store.put(key, bodyOf(content), plainFacts(content), signal)).created) return key
  // Taken: by an attempt of our own whose answer was lost, or by another process that began in the same millisecond.
  if ((await readWhole(store, key, MAX_SEAL_BYTES, signal))?.equals(content) === true) return key
  throw new MaxbrodError('OBJECT_CHANGED', `${key} was written by somebody else at the same moment`, {
    key,
    hint: 'run the command again',
  })
}
