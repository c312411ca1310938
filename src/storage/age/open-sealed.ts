import { MaxbrodError } from '../../runtime/errors.ts'
import { AgeDamage } from './age-damage.ts'
import { MAX_AGE_HEADER_BYTES, parseAgeHeader } from './age-header.ts'
import type { AgeHeader } from './age-header.ts'
import { NONCE_BYTES, SEALED_CHUNK_BYTES, openChunk, payloadKey } from './payload.ts'
import type { PieceReader } from './piece-reader.ts'
import { openFileKey } from './x25519.ts'
import type { Identity } from './x25519.ts'

/** What opens a file, once its beginning was read. */
export interface OpenedHeader {
  /** Of header and nonce: the first chunk begins there. */
  readonly bytes: number
  readonly key: Buffer
}

/** Most headers are smaller than this by far. */
const FIRST_LOOK_BYTES = 2 * 1024

/**
 * Reads header and nonce, and leaves the rest. Throws AgeDamage, and NO_IDENTITY when none of the identities is one that the
 * file is meant for.
 */
export async function readSealedStart(
  pieces: PieceReader,
  key: string,
  identities: readonly Identity[],
): Promise<OpenedHeader> {
  const header = await readHeader(pieces)
  const fileKey = openFileKey(header, identities)
  if (fileKey === undefined) throw noIdentity(key, identities.length)
  await pieces.take(header.bytes)
  const nonce = await pieces.take(NONCE_BYTES)
  if (nonce.length < NONCE_BYTES) throw new AgeDamage('it ends inside its age header')
  return { bytes: header.bytes + NONCE_BYTES, key: payloadKey(fileKey, nonce) }
}

/** The header that is read next; it is left there. Throws AgeDamage. */
export async function readHeader(pieces: PieceReader): Promise<AgeHeader> {
  for (const bytes of [FIRST_LOOK_BYTES, MAX_AGE_HEADER_BYTES]) {
    const header = parseAgeHeader(await pieces.peek(bytes))
    if (header !== undefined) return header
  }
  throw new AgeDamage('it ends inside its age header')
}

/** The content of a file's chunks from the `first` on, up to the last one: the one that nothing stands behind. */
export async function* openToEnd(pieces: PieceReader, key: Buffer, first = 0): AsyncGenerator<Buffer> {
  for (let index = first; ; index++) {
    const sealed = await pieces.take(SEALED_CHUNK_BYTES)
    const isLast = await pieces.isAtEnd()
    yield openChunk(key, index, isLast, sealed)
    if (isLast) return
  }
}

/** The error for a file that is meant for others. */
export function noIdentity(key: string, identities: number): MaxbrodError {
  const has = identities === 0 ? 'no --identity is given' : `none of the ${identities} given secret keys opens it`
  return new MaxbrodError('NO_IDENTITY', `${key} is encrypted, and ${has}`, {
    key,
    hint: 'give the file with the secret key of a recipient: --identity PATH, once for each file',
  })
}

/** The error for what age finds wrong with an object; anything else as it is. */
export function damaged(key: string, cause: unknown): unknown {
  if (!(cause instanceof AgeDamage)) return cause
  return new MaxbrodError('OBJECT_CORRUPT', `${key}: ${cause.message}`, {
    key,
    cause,
    hint: 'restore the object from the bucket’s versions or replication, if there are any',
  })
}
