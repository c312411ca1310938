import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto'
import { AgeDamage } from './age-damage.ts'

/**
 * What stands behind an age header (C2SP age.md, "Payload"): a nonce, then chunks of 64 KiB, each sealed with its number and
 * whether it is the last one. So each can be opened by itself, and none can be altered, moved, left out or added.
 */
export const NONCE_BYTES = 16
export const CHUNK_BYTES = 64 * 1024
const TAG_BYTES = 16
export const SEALED_CHUNK_BYTES = CHUNK_BYTES + TAG_BYTES
const CIPHER = 'chacha20-poly1305'
const WITH_TAG = { authTagLength: TAG_BYTES }

export function payloadKey(fileKey: Buffer, nonce: Buffer): Buffer {
  return Buffer.from(hkdfSync('sha256', fileKey, nonce, 'payload', 32))
}

/** Chunks of a content of so many bytes; nothing at all is one empty chunk. */
export function chunksOf(plain: number): number {
  return Math.max(1, Math.ceil(plain / CHUNK_BYTES))
}

/** How many bytes a content of so many has when it is sealed, without header and nonce. */
export function sealedBytes(plain: number): number {
  return plain + chunksOf(plain) * TAG_BYTES
}

/** The other way round. Throws AgeDamage for what no content becomes. */
export function plainBytes(sealed: number): number {
  const chunks = Math.ceil(sealed / SEALED_CHUNK_BYTES)
  const plain = sealed - chunks * TAG_BYTES
  if (plain < 0 || chunksOf(plain) !== chunks) throw new AgeDamage('it ends inside a chunk')
  return plain
}

/** A chunk and its tag. */
export function sealChunk(key: Buffer, index: number, isLast: boolean, plain: Uint8Array): [Buffer, Buffer] {
  const cipher = createCipheriv(CIPHER, key, nonceOf(index, isLast), WITH_TAG)
  const sealed = cipher.update(plain)
  cipher.final()
  return [sealed, cipher.getAuthTag()]
}

/** Throws AgeDamage when the chunk is not the one that was sealed there. */
export function openChunk(key: Buffer, index: number, isLast: boolean, sealed: Buffer): Buffer {
  const end = sealed.length - TAG_BYTES
  if (end < 0 || (end === 0 && index > 0)) throw new AgeDamage('it ends inside a chunk')
  const decipher = createDecipheriv(CIPHER, key, nonceOf(index, isLast), WITH_TAG)
  decipher.setAuthTag(sealed.subarray(end))
  const plain = decipher.update(sealed.subarray(0, end))
  try {
    decipher.final()
  } catch (cause) {
    throw new AgeDamage(`it was altered or cut in chunk ${index}`, { cause })
  }
  return plain
}

/** Eleven bytes of counter, and one that says whether it is the last. */
function nonceOf(index: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(12)
  nonce.writeUIntBE(index, 5, 6)
  nonce[11] = isLast ? 1 : 0
  return nonce
}
