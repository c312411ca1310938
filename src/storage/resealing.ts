import { createHash } from 'node:crypto'
import { damaged, noIdentity, readHeader } from './age/open-sealed.ts'
import { PieceReader } from './age/piece-reader.ts'
import { headerFor, isFor, requireBytes } from './age/reseal.ts'
import { sealFor } from './age/seal.ts'
import type { Identity, Recipient } from './age/x25519.ts'
import { isSealed } from './decrypting.ts'
import type { ObjectBody, ObjectStore, Resealed, Resealing, StoredFile } from './port.ts'

export interface ResealingOptions {
  readonly identities: readonly Identity[]
  readonly recipients: readonly Recipient[]
}

type See = (bytes: number) => Promise<void>

/** Files up to this size are read once, into memory; larger ones again for each attempt. */
const HELD_BYTES_MAX = 16 * 1024 * 1024
/** More than a header has for as many recipients as we write. */
const FIRST_LOOK_BYTES = 16 * 1024

/** `store` shows encrypted files as they are stored. */
export function resealing(store: ObjectStore, { identities, recipients }: ResealingOptions): Resealing {
  return {
    async isDone(file, signal) {
      if (!isSealed(file.key)) return false
      const header = await withStart(store, file, signal, FIRST_LOOK_BYTES, pieces => readHeader(pieces))
      return isFor(header, identities, recipients)
    },
    reseal: (file, see, signal) =>
      isSealed(file.key)
        ? rewrap(store, file, { identities, recipients }, see, signal)
        : sealPlain(store, file, recipients, see, signal),
  }
}

async function rewrap(
  store: ObjectStore,
  file: StoredFile,
  { identities, recipients }: ResealingOptions,
  see: See,
  signal: AbortSignal | undefined,
): Promise<Resealed> {
  const source = createHash('sha256')
  const hash = createHash('sha256')
  const held: Buffer[] = []
  const isHeld = file.bytes <= HELD_BYTES_MAX
  const { start, from } = await withStart(store, file, signal, undefined, async pieces => {
    const header = await readHeader(pieces)
    const made = headerFor(header, identities, recipients)
    if (made === undefined) throw noIdentity(file.key, identities.length)
    const old = await pieces.take(header.bytes)
    source.update(old)
    hash.update(made)
    held.push(made)
    let bytes = old.length
    await see(bytes)
    for await (const piece of rest(pieces)) {
      source.update(piece)
      hash.update(piece)
      if (isHeld) held.push(piece)
      bytes += piece.length
      await see(piece.length)
    }
    requireBytes(bytes, file.bytes)
    return { start: made, from: old.length }
  })
  const again = async function* () {
    yield start
    await using read = await store.get(file.key, { start: from, ifMatch: file.etag, facts: 'unneeded', signal })
    for await (const piece of read.body) {
      await see(piece.length)
      yield piece
    }
  }
  const fromMemory = async function* () {
    yield* held
  }
  const bytes = file.bytes - from + start.length
  const body = { bytes, sha256: hash.digest('hex'), open: isHeld ? fromMemory : again }
  return { body, sourceSha256: source.digest('hex') }
}

async function sealPlain(
  store: ObjectStore,
  file: StoredFile,
  recipients: readonly Recipient[],
  see: See,
  signal: AbortSignal | undefined,
): Promise<Resealed> {
  const hash = createHash('sha256')
  const held: Buffer[] = []
  const isHeld = file.bytes <= HELD_BYTES_MAX
  const again = async function* () {
    await using read = await store.get(file.key, { ifMatch: file.etag, facts: 'unneeded', signal })
    for await (const piece of read.body) {
      await see(piece.length)
      yield piece
    }
  }
  for await (const piece of again()) {
    hash.update(piece)
    if (isHeld) held.push(piece)
  }
  const sourceSha256 = hash.digest('hex')
  const fromMemory = async function* () {
    yield* held
  }
  const plain: ObjectBody = { bytes: file.bytes, sha256: sourceSha256, open: isHeld ? fromMemory : again }
  return { body: await sealFor(recipients)(plain), sourceSha256 }
}

/** Reads the object that was listed, or its beginning, and lets go of it whatever happens. */
async function withStart<T>(
  store: ObjectStore,
  { key, etag, bytes: size }: StoredFile,
  signal: AbortSignal | undefined,
  bytes: number | undefined,
  use: (pieces: PieceReader) => Promise<T>,
): Promise<T> {
  const part = bytes === undefined || bytes >= size ? {} : { bytes }
  await using read = await store.get(key, { ...part, ifMatch: etag, facts: 'unneeded', signal })
  const pieces = new PieceReader(read.body)
  try {
    return await use(pieces)
  } catch (error) {
    throw damaged(key, error)
  } finally {
    await pieces.close()
  }
}

async function* rest(pieces: PieceReader): AsyncGenerator<Buffer> {
  for (;;) {
    const piece = await pieces.take(PIECE_BYTES)
    if (piece.length === 0) return
    yield piece
  }
}

const PIECE_BYTES = 64 * 1024
