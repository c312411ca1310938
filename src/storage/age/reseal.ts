import { AgeDamage } from './age-damage.ts'
import { encodeAgeHeader } from './age-header.ts'
import type { AgeHeader } from './age-header.ts'
import { openFileKey, wrapFileKey } from './x25519.ts'
import type { Identity, Recipient } from './x25519.ts'

/**
 * The header of the same file for other recipients: the key of the file is wrapped for each of them, and what stands behind the
 * header stays as it is. Undefined when none of the identities opens it. Throws AgeDamage.
 */
export function headerFor(
  header: AgeHeader,
  identities: readonly Identity[],
  recipients: readonly Recipient[],
): Buffer | undefined {
  const fileKey = openFileKey(header, identities)
  if (fileKey === undefined) return undefined
  const stanzas = recipients.map(recipient => wrapFileKey(fileKey, recipient))
  return encodeAgeHeader(stanzas, fileKey)
}

/**
 * True when these recipients open the file and nobody else does, as far as the identities tell: a header does not say whom it is
 * for, only how many. So all recipients whose identity is there must open it: another one may be somebody else. Throws AgeDamage.
 */
export function isFor(header: AgeHeader, identities: readonly Identity[], recipients: readonly Recipient[]): boolean {
  const isOurs = ({ publicRaw }: Identity) => recipients.some(({ raw }) => raw.equals(publicRaw))
  const opens = (identity: Identity) => openFileKey(header, [identity]) !== undefined
  return (
    header.stanzas.length === recipients.length &&
    identities.some(isOurs) &&
    identities.every(identity => opens(identity) === isOurs(identity))
  )
}

/** Throws AgeDamage when less came than was told. */
export function requireBytes(found: number, wanted: number): void {
  if (found !== wanted) throw new AgeDamage(`${found} bytes were read of it, and it has ${wanted}`)
}
