import { createPrivateKey, createPublicKey } from 'node:crypto'
import { parseIdentities, parseRecipient } from '../../src/storage/age/keys.ts'
import type { Identity, Recipient } from '../../src/storage/age/x25519.ts'
import { Dice } from './seed.ts'

export interface AgeKey {
  /** As age-keygen writes them. */
  readonly recipientText: string
  readonly identityText: string
  readonly recipient: Recipient
  readonly identity: Identity
}

const dice = new Dice('age keys')

/** What stands before the 32 bytes of an X25519 key in PKCS #8 (RFC 8410, section 7). */
const PKCS8_X25519 = Buffer.from('302e020100300506032b656e04220420', 'hex')

/** A new pair of keys, in the texts that age-keygen would write. They follow from the seed of the run. */
export function newAgeKey(): AgeKey {
  const secret = dice.bytes(32)
  const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8_X25519, secret]), format: 'der', type: 'pkcs8' })
  const publicRaw = createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(-32)
  const recipientText = encodeBech32('age', publicRaw)
  const identityText = encodeBech32('age-secret-key-', secret).toUpperCase()
  const { identities } = parseIdentities(identityText, 'here')
  return { recipientText, identityText, recipient: parseRecipient(recipientText), identity: identities[0]! }
}

const CHARACTERS = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'

/** BIP 173, written anew: the checksum as a division of polynomials over GF(32), bit by bit. */
export function encodeBech32(prefix: string, bytes: Uint8Array): string {
  const bits = [...bytes].map(byte => byte.toString(2).padStart(8, '0')).join('')
  const digits = (bits.match(/.{1,5}/g) ?? []).map(part => Number.parseInt(part.padEnd(5, '0'), 2))
  const codes = [...Buffer.from(prefix)]
  const values = [...codes.map(code => code >> 5), 0, ...codes.map(code => code % 32), ...digits, 0, 0, 0, 0, 0, 0]
  let rest = 1n
  for (const value of values) {
    const top = rest >> 25n
    rest = ((rest % 2n ** 25n) << 5n) ^ BigInt(value)
    for (const [bit, term] of [0x3b6a57b2n, 0x26508e6dn, 0x1ea119fan, 0x3d4233ddn, 0x2a1462b3n].entries())
      if ((top >> BigInt(bit)) % 2n === 1n) rest ^= term
  }
  const sum = rest ^ 1n
  const check = [5n, 4n, 3n, 2n, 1n, 0n].map(place => Number((sum >> (5n * place)) % 32n))
  return `${prefix}1${[...digits, ...check].map(digit => CHARACTERS[digit]).join('')}`
}
