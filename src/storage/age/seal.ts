import { createHash, randomBytes } from 'node:crypto'
import type { Hash } from 'node:crypto'
import { assert } from '../../runtime/assert.ts'
import { MaxbrodError } from '../../runtime/errors.ts'
import type { ObjectBody, Seal } from '../port.ts'
import { encodeAgeHeader } from './age-header.ts'
import { MAX_RECIPIENTS } from './keys.ts'
import { CHUNK_BYTES, NONCE_BYTES, chunksOf, payloadKey, sealChunk, sealedBytes } from './payload.ts'
import { PieceReader } from './piece-reader.ts'
import { FILE_KEY_BYTES, wrapFileKey } from './x25519.ts'
import type { Recipient } from './x25519.ts'

/** Bodies up to this size are sealed once, into memory; larger ones again for each attempt. */
const HELD_BYTES_MAX = 16 * 1024 * 1024

const CHUNKS_AT_ONCE = 16

/** Makes age files of bodies, for these recipients: any of them can open each file, and nobody else. */
export function sealFor(recipients: readonly Recipient[]): Seal {
  assert(recipients.length > 0 && recipients.length <= MAX_RECIPIENTS, `${recipients.length} recipients`)
  return body => seal(body, recipients)
}

async function seal(body: ObjectBody, recipients: readonly Recipient[]): Promise<ObjectBody> {
  const fileKey = randomBytes(FILE_KEY_BYTES)
  const nonce = randomBytes(NONCE_BYTES)
  const stanzas = recipients.map(recipient => wrapFileKey(fileKey, recipient))
  const start = Buffer.concat([encodeAgeHeader(stanzas, fileKey), nonce])
  const key = payloadKey(fileKey, nonce)
  const bytes = start.length + sealedBytes(body.bytes)
  const isHeld = bytes <= HELD_BYTES_MAX
  const held: Buffer[] = []
  const hash = createHash('sha256')
  // What is read again each time may have changed since its hash was taken, and nobody could tell later.
  const source = isHeld ? undefined : createHash('sha256')
  for await (const piece of sealedPieces(body, start, key, source)) {
    hash.update(piece)
    if (isHeld) held.push(piece)
  }
  if (source !== undefined && source.digest('hex') !== body.sha256)
    throw new MaxbrodError('DISK', 'a file of the working directory changed while it was encrypted', {
      hint: 'its records are read from Kafka again; check the disk of --working-dir',
    })
  const fromMemory = async function* () {
    yield* held
  }
  // The same key, nonce and content: the same bytes, as often as they are asked for.
  const again = () => sealedPieces(body, start, key)
  return { ...body, bytes, sha256: hash.digest('hex'), open: isHeld ? fromMemory : again }
}

/** Lets go of the thread: a body in memory would be sealed in one go, and heartbeats would wait for it. */
function others(): Promise<void> {
  return new Promise(resolve => void setImmediate(resolve))
}

async function* sealedPieces(body: ObjectBody, start: Buffer, key: Buffer, source?: Hash): AsyncGenerator<Buffer> {
  yield start
  const plain = new PieceReader(body.open())
  try {
    const chunks = chunksOf(body.bytes)
    for (let index = 0; index < chunks; index++) {
      if (index % CHUNKS_AT_ONCE === CHUNKS_AT_ONCE - 1) await others()
      const chunk = await plain.take(CHUNK_BYTES)
      source?.update(chunk)
      yield* sealChunk(key, index, index === chunks - 1, chunk)
    }
  } finally {
    await plain.close()
  }
}
