import { DecodeError } from '../format/batch/varint.ts'
import { MAX_HEADER_BYTES, parseContainerHeader } from '../format/ocf/container-header.ts'
import type { ContainerHeader } from '../format/ocf/container-header.ts'
import { BLOCK_CODECS } from '../format/ocf/block-codec.ts'
import type { BlockCodec } from '../format/ocf/block-codec.ts'
import { recognizeSchema } from '../format/record-schema.ts'
import { parseGenerationName } from '../format/keys.ts'
import type { TileKey } from '../format/keys.ts'
import { tileHeaderFromMeta } from '../format/tile-header-meta.ts'
import type { TileHeader } from '../format/tile-header.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import type { GetOptions, ObjectHead, ObjectStore } from '../storage/port.ts'

/** What a data file says of itself before its first block. */
export type FileHeader =
  | { readonly kind: 'maxbrod'; readonly codec: BlockCodec; readonly tile: TileHeader; readonly headerBytes: number }
  /** A file of kafka-data-keep: it says nothing of what it holds. */
  | { readonly kind: 'kafka-data-keep'; readonly codec: BlockCodec; readonly headerBytes: number }

/** Nearly all headers fit in the first read. */
const FIRST_READ_BYTES = 8 * 1024

/**
 * Reads a file's header by one small ranged get, two for an unusually long one. Throws OBJECT_CORRUPT when there is no
 * header, when it contradicts itself or the key; OBJECT_CHANGED when the object is not the one of `etag`.
 */
export async function readFileHeader(
  store: ObjectStore,
  key: string,
  place: TileKey,
  etag: string,
  signal?: AbortSignal,
): Promise<FileHeader> {
  return (await readFileStart(store, key, place, { ifMatch: etag, facts: 'unneeded', signal })).header
}

/** The same with size, ETag and facts of the object. Throws OBJECT_MISSING when there is none. */
export async function readFileStart(
  store: ObjectStore,
  key: string,
  place: TileKey,
  options: Pick<GetOptions, 'ifMatch' | 'facts' | 'signal'>,
): Promise<ObjectHead & { readonly header: FileHeader }> {
  for (let bytes = FIRST_READ_BYTES; ; bytes = MAX_HEADER_BYTES) {
    const read = await store.get(key, { ...options, bytes })
    const chunks: Buffer[] = []
    for await (const chunk of read.body) chunks.push(chunk)
    const start = Buffer.concat(chunks)
    try {
      const header = parseContainerHeader(start)
      if (header !== undefined) {
        const { bytes: size, etag, facts } = read
        return { bytes: size, etag, facts, header: interpretHeader(header, place) }
      }
      if (start.length >= read.bytes) throw new DecodeError('the file ends inside its header')
    } catch (error) {
      throw corrupt(key, error)
    }
  }
}

/** What a container's header says, checked against the key that the file was found at, if any. Throws DecodeError. */
export function interpretHeader({ meta, bytes }: ContainerHeader, place: TileKey | undefined): FileHeader {
  const kind = recognizeSchema(meta.get('avro.schema') ?? '')
  if (kind === undefined) throw new DecodeError('its schema is none of the known ones')
  const codec = BLOCK_CODECS.find(known => known === (meta.get('avro.codec') ?? 'null'))
  if (codec === undefined)
    throw new DecodeError(`its codec ${meta.get('avro.codec')} is none of ${BLOCK_CODECS.join(', ')}`)
  if (kind === 'kafka-data-keep') return { kind, codec, headerBytes: bytes }
  const tile = tileHeaderFromMeta(meta)
  if (place !== undefined) checkPlace(tile, place)
  return { kind, codec, tile, headerBytes: bytes }
}

function checkPlace(tile: TileHeader, place: TileKey): void {
  if (tile.topic !== place.topic || tile.partition !== place.partition || tile.coversFrom !== place.from) {
    throw new DecodeError(
      `its header says ${tile.topic}-${tile.partition} from ${tile.coversFrom}: it was stored under another file's name`,
    )
  }
  if (!mayLieIn(place.generation, tile.generation?.name)) {
    const ofWhich = (name: string | undefined) => (name === undefined ? 'an original' : `one of ${name}`)
    throw new DecodeError(
      `its header says that it is ${ofWhich(tile.generation?.name)}, not ${ofWhich(place.generation)}`,
    )
  }
  if (place.topicId !== undefined && place.topicId !== tile.topicId)
    throw new DecodeError(`its header says topic id ${tile.topicId}`)
}

/** What is rewrapped is the file that it was before: an original, or a merged one. */
function mayLieIn(folder: string | undefined, said: string | undefined): boolean {
  const kindOf = (name: string) => parseGenerationName(name)?.kind
  if (folder === undefined || kindOf(folder) !== 'rewrapped') return said === folder
  return said === undefined || kindOf(said) === 'merged'
}

/** The error for an object whose bytes are not what they must be. */
export function corrupt(key: string, cause: unknown): unknown {
  if (!(cause instanceof DecodeError)) return cause
  return new MaxbrodError('OBJECT_CORRUPT', `${key}: ${cause.message}`, {
    key,
    cause,
    hint: 'restore the object from the bucket’s versions or replication, if there are any',
  })
}
