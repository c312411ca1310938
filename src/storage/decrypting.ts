import { MaxbrodError } from '../runtime/errors.ts'
import { MAX_AGE_HEADER_BYTES } from './age/age-header.ts'
import { AgeDamage } from './age/age-damage.ts'
import { damaged, noIdentity, openToEnd, readSealedStart } from './age/open-sealed.ts'
import type { OpenedHeader } from './age/open-sealed.ts'
import { CHUNK_BYTES, SEALED_CHUNK_BYTES, openChunk, plainBytes } from './age/payload.ts'
import { PieceReader } from './age/piece-reader.ts'
import type { Identity } from './age/x25519.ts'
import { newRead, rangeWithin } from './body.ts'
import type { GetOptions, ObjectRead, ObjectStore } from './port.ts'

export interface DecryptingOptions {
  readonly identities: readonly Identity[]
  /** What must be encrypted, by its key: plain, it is refused. */
  readonly mustBeSealed: (key: string) => boolean
  /** Data files, by their key: who holds a secret key writes none of them plain. Default: no key is one. */
  readonly isData?: (key: string) => boolean
}

/** Headers of up to this size are read together with the first chunk. */
const HEADER_GUESS_BYTES = 2 * 1024

/**
 * A store whose encrypted files read as what is in them: bytes, ranges, and the size that `get` tells are those of the
 * content. Everything else is as it is stored: `head` and `list` tell sizes of objects. A chunk is given out when all of it
 * was proved; a damaged file throws OBJECT_CORRUPT, one for others NO_IDENTITY, a plain one, where none may be, NOT_ENCRYPTED.
 */
export function decrypting(
  store: ObjectStore,
  { identities, mustBeSealed, isData = () => false }: DecryptingOptions,
): ObjectStore {
  return {
    url: store.url,
    async put(key, body, facts, signal) {
      if (identities.length > 0 && isData(key) && !isSealed(key)) throw wouldBePlain(key)
      return store.put(key, body, facts, signal)
    },
    head: (key, signal) => store.head(key, signal),
    list: (prefix, options) => store.list(prefix, options),
    folders: (prefix, options) => store.folders(prefix, options),
    close: () => store.close(),
    async get(key, options = {}) {
      if (isSealed(key)) {
        if (identities.length === 0) throw noIdentity(key, 0)
        return getSealed(store, key, identities, options)
      }
      if (mustBeSealed(key)) throw notEncrypted(key)
      return store.get(key, options)
    },
  }
}

/** True for a name that says that the content is encrypted. */
export function isSealed(key: string): boolean {
  return key.endsWith('.age')
}

/** The content of an encrypted file that lies anywhere. Throws as the store does. */
export async function* decrypted(
  key: string,
  body: AsyncIterable<Buffer>,
  identities: readonly Identity[],
): AsyncGenerator<Buffer> {
  if (identities.length === 0) throw noIdentity(key, 0)
  const pieces = new PieceReader(body)
  try {
    const opened = await readSealedStart(pieces, key, identities)
    yield* openToEnd(pieces, opened.key)
  } catch (error) {
    throw damaged(key, error)
  } finally {
    await pieces.close()
  }
}

function wouldBePlain(key: string): MaxbrodError {
  return new MaxbrodError('NOT_ENCRYPTED', `${key} would be stored plain, and may be made of encrypted files`, {
    key,
    hint: 'without --identity only files that are plain anyway are read',
  })
}

export function notEncrypted(key: string): MaxbrodError {
  return new MaxbrodError('NOT_ENCRYPTED', `${key} is not encrypted, and --require-encryption is set`, {
    key,
    hint: 'find out who wrote it; files from before encryption was turned on are read without --require-encryption',
  })
}

async function getSealed(
  store: ObjectStore,
  key: string,
  identities: readonly Identity[],
  options: GetOptions,
): Promise<ObjectRead> {
  const { start = 0, bytes = Infinity, signal } = options
  const begun = await begin(store, key, identities, options)
  const { read, pieces, opened, size } = begun
  const { from, to } = rangeWithin(size, start, bytes)
  const head = { bytes: size, etag: read.etag, facts: read.facts }
  const range = { from, to, size, first: Math.floor(from / CHUNK_BYTES) }
  if (range.first === 0) {
    const isWhole = from === 0 && to === size
    const content = isWhole ? openToEnd(pieces, opened.key) : openRange(pieces, opened.key, range)
    return newRead(head, named(key, content), () => closeAll(begun))
  }
  await closeAll(begun)
  const rest = await store.get(key, {
    start: opened.bytes + range.first * SEALED_CHUNK_BYTES,
    bytes: (chunksUpTo(to) - range.first) * SEALED_CHUNK_BYTES,
    ifMatch: read.etag,
    signal,
  })
  const further = { read: rest, pieces: new PieceReader(rest.body) }
  return newRead(head, named(key, openRange(further.pieces, opened.key, range)), () => closeAll(further))
}

interface Reading {
  readonly read: ObjectRead
  readonly pieces: PieceReader
}

interface Begun extends Reading {
  readonly opened: OpenedHeader
  /** Of the content. */
  readonly size: number
}

/** Reads the header, and nothing more of what comes with the same request. */
async function begin(
  store: ObjectStore,
  key: string,
  identities: readonly Identity[],
  { start = 0, bytes = Infinity, ifMatch, signal }: GetOptions,
): Promise<Begun> {
  // A range that begins in the first chunk comes with the header.
  const behindHeader = start < CHUNK_BYTES ? chunksUpTo(start + bytes) * SEALED_CHUNK_BYTES : 0
  for (const headerBytes of [HEADER_GUESS_BYTES, MAX_AGE_HEADER_BYTES]) {
    const asked = headerBytes + behindHeader
    const isPart = Number.isFinite(asked)
    const read = await store.get(key, { ifMatch, signal, ...(isPart ? { bytes: asked } : {}) })
    const reading = { read, pieces: new PieceReader(read.body) }
    let begun: Begun | undefined
    try {
      const opened = await readSealedStart(reading.pieces, key, identities)
      if (isPart && opened.bytes > headerBytes) continue
      begun = { ...reading, opened, size: plainBytes(read.bytes - opened.bytes) }
      return begun
    } catch (error) {
      const mayGoOn = isPart && headerBytes < MAX_AGE_HEADER_BYTES && read.bytes > asked
      // What looks cut may be a long header.
      if (!(error instanceof AgeDamage && mayGoOn)) throw damaged(key, error)
    } finally {
      if (begun === undefined) await closeAll(reading)
    }
  }
  throw damaged(key, new AgeDamage('its age header has no end'))
}

function chunksUpTo(plain: number): number {
  return Math.ceil(plain / CHUNK_BYTES)
}

async function closeAll({ pieces, read }: Reading): Promise<void> {
  // In this order: who waits for a piece that does not come is let go.
  await read[Symbol.asyncDispose]()
  await pieces.close()
}

interface Range {
  /** Bytes of the content, closed-open, of `size` in all. */
  readonly from: number
  readonly to: number
  readonly size: number
  /** The chunk that the pieces begin with. */
  readonly first: number
}

async function* openRange(pieces: PieceReader, key: Buffer, { from, to, size, first }: Range): AsyncGenerator<Buffer> {
  for (let index = first; index * CHUNK_BYTES < to; index++) {
    const chunkAt = index * CHUNK_BYTES
    const isLast = chunkAt + CHUNK_BYTES >= size
    const plain = openChunk(key, index, isLast, await pieces.take(SEALED_CHUNK_BYTES))
    const wanted = plain.subarray(Math.max(0, from - chunkAt), to - chunkAt)
    if (wanted.length > 0) yield wanted
  }
}

async function* named(key: string, content: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* content
  } catch (error) {
    throw damaged(key, error)
  }
}
