import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
} from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { AgeDamage } from './age-damage.ts'
import type { AgeHeader, Stanza } from './age-header.ts'
import { checkMac } from './age-header.ts'
import { decodeBase64, encodeBase64 } from './base64.ts'

/** A public key: who holds it can only write. */
export interface Recipient {
  readonly raw: Buffer
  readonly key: KeyObject
}

/** A secret key. */
export interface Identity {
  readonly publicRaw: Buffer
  readonly key: KeyObject
}

export const KEY_BYTES = 32
export const FILE_KEY_BYTES = 16
const TAG_BYTES = 16
const TYPE = 'X25519'
/** In front of the bare key in the encodings that node:crypto takes: RFC 8410. */
const SPKI = Buffer.from('302a300506032b656e032100', 'hex')
const PKCS8 = Buffer.from('302e020100300506032b656e04220420', 'hex')
/** Each wrapping key is used once. */
const NONCE = Buffer.alloc(12)
const CIPHER = 'chacha20-poly1305'
const WITH_TAG = { authTagLength: TAG_BYTES }

export function recipientOf(raw: Buffer): Recipient {
  return { raw, key: createPublicKey({ key: Buffer.concat([SPKI, raw]), format: 'der', type: 'spki' }) }
}

export function identityOf(raw: Buffer): Identity {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8, raw]), format: 'der', type: 'pkcs8' })
  return { publicRaw: rawOf(createPublicKey(key)), key }
}

function rawOf(key: KeyObject): Buffer {
  return key.export({ format: 'der', type: 'spki' }).subarray(SPKI.length)
}

/** The file key for one recipient (C2SP age.md, "The X25519 recipient type"). */
export function wrapFileKey(fileKey: Buffer, recipient: Recipient): Stanza {
  const ephemeral = generateKeyPairSync('x25519')
  const share = rawOf(ephemeral.publicKey)
  const shared = diffieHellman({ privateKey: ephemeral.privateKey, publicKey: recipient.key })
  const cipher = createCipheriv(CIPHER, wrappingKey(shared, share, recipient.raw), NONCE, WITH_TAG)
  const body = Buffer.concat([cipher.update(fileKey), cipher.final(), cipher.getAuthTag()])
  return { type: TYPE, args: [encodeBase64(share)], body }
}

/** The file key of a header that one of the identities opens; undefined when none does. Throws AgeDamage. */
export function openFileKey(header: AgeHeader, identities: readonly Identity[]): Buffer | undefined {
  const { stanzas } = header
  if (stanzas.length > 1 && stanzas.some(({ type }) => type === 'scrypt'))
    throw new AgeDamage('its age header has a passphrase beside other keys')
  // All of them are looked at: damage shows, whoever's key it is.
  const wrapped = stanzas.filter(({ type }) => type === TYPE).map(wrappedIn)
  for (const one of wrapped) {
    for (const identity of identities) {
      const fileKey = unwrap(one, identity)
      if (fileKey === undefined) continue
      checkMac(header, fileKey)
      return fileKey
    }
  }
  return undefined
}

interface Wrapped {
  readonly share: Buffer
  readonly body: Buffer
}

function wrappedIn({ args, body }: Stanza): Wrapped {
  const [share, ...more] = args
  const decoded = share === undefined || more.length > 0 ? undefined : decodeBase64(share)
  if (decoded?.length !== KEY_BYTES || body.length !== FILE_KEY_BYTES + TAG_BYTES)
    throw new AgeDamage('its age header has a key that is none')
  return { share: decoded, body }
}

function unwrap({ share, body }: Wrapped, identity: Identity): Buffer | undefined {
  const shared = agree(share, identity)
  const decipher = createDecipheriv(CIPHER, wrappingKey(shared, share, identity.publicRaw), NONCE, WITH_TAG)
  decipher.setAuthTag(body.subarray(FILE_KEY_BYTES))
  const fileKey = decipher.update(body.subarray(0, FILE_KEY_BYTES))
  try {
    decipher.final()
    return fileKey
  } catch {
    return undefined // wrapped for somebody else
  }
}

function agree(share: Buffer, { key }: Identity): Buffer {
  try {
    return diffieHellman({ privateKey: key, publicKey: recipientOf(share).key })
  } catch (cause) {
    // A point of low order: the secret would be the same for everybody.
    throw new AgeDamage('its age header has a key that is none', { cause })
  }
}

function wrappingKey(shared: Buffer, share: Buffer, recipient: Buffer): Buffer {
  const salt = Buffer.concat([share, recipient])
  return Buffer.from(hkdfSync('sha256', shared, salt, `age-encryption.org/v1/${TYPE}`, KEY_BYTES))
}
