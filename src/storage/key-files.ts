import type { Disk } from '../runtime/disk.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import { MAX_RECIPIENTS, looksLikeRecipient, parseIdentities, parseRecipient, parseRecipients } from './age/keys.ts'
import { sealFor } from './age/seal.ts'
import type { Identity, Recipient } from './age/x25519.ts'
import type { OpeningOptions, ResealingOptions, SealingOptions } from './encryption-options.ts'
import type { Seal } from './port.ts'

/** What --encrypt-to asks for; undefined to store files as they are. Throws USAGE. */
export async function openSeal(
  disk: Pick<Disk, 'read'>,
  { encryptTo, requireEncryption }: SealingOptions,
): Promise<Seal | undefined> {
  if (encryptTo.length === 0) {
    if (!requireEncryption) return undefined
    const hint = 'give the recipients, or leave --require-encryption out'
    throw new MaxbrodError('USAGE', '--require-encryption needs --encrypt-to', { hint })
  }
  return sealFor(await readRecipients(disk, encryptTo))
}

/** Whom --encrypt-to names, each once. Throws USAGE. */
async function readRecipients(disk: Pick<Disk, 'read'>, encryptTo: readonly string[]): Promise<Recipient[]> {
  const found = await Promise.all(
    encryptTo.map(async text =>
      looksLikeRecipient(text)
        ? [parseRecipient(text)]
        : parseRecipients(await readFile(disk, '--encrypt-to', text), text),
    ),
  )
  const recipients = [...new Map(found.flat().map(one => [one.raw.toString('hex'), one])).values()]
  if (recipients.length > MAX_RECIPIENTS)
    throw new MaxbrodError('USAGE', `--encrypt-to: ${recipients.length} recipients, and ${MAX_RECIPIENTS} at most`)
  return recipients
}

/** Keys to read files with, and to write others that are made of them. */
export interface Keys {
  readonly identities: readonly Identity[]
  readonly recipients: readonly Recipient[]
}

/** Makes of bodies what these recipients can read. */
export function sealTo({ recipients }: Pick<Keys, 'recipients'>): Seal {
  return sealFor(recipients)
}

/**
 * What --identity and --encrypt-to of a command say that writes files of files. One of the secret keys must open what is written:
 * what cannot be read back is not proved, and nothing may ever be removed for its sake. Throws USAGE.
 */
export async function readKeys(
  disk: Pick<Disk, 'read'>,
  { identity, encryptTo }: ResealingOptions,
  hide: (secret: string) => void,
): Promise<Keys> {
  const recipients = await readRecipients(disk, encryptTo)
  const identities = await readIdentities(disk, { identity }, hide)
  const isOurs = ({ publicRaw }: Identity) => recipients.some(({ raw }) => raw.equals(publicRaw))
  if (recipients.length > 0 && !identities.some(isOurs))
    throw new MaxbrodError('USAGE', 'none of the secret keys of --identity opens what --encrypt-to asks for', {
      hint: 'what is written is read back and proved: give the new secret key, too, with another --identity',
    })
  if (recipients.length === 0 && identities.length > 0)
    throw new MaxbrodError('USAGE', '--identity needs --encrypt-to', {
      hint: 'what is made of encrypted files is never stored plain: give the recipients',
    })
  return { identities, recipients }
}

/** The secret keys in the files of --identity; each is told to `hide` before anything else is done with it. Throws USAGE. */
export async function readIdentities(
  disk: Pick<Disk, 'read'>,
  { identity: paths }: Pick<OpeningOptions, 'identity'>,
  hide: (secret: string) => void,
): Promise<Identity[]> {
  const found = await Promise.all(
    paths.map(async path => parseIdentities(await readFile(disk, '--identity', path), path)),
  )
  for (const { secrets } of found) for (const secret of secrets) hide(secret)
  return found.flatMap(({ identities }) => identities)
}

async function readFile(disk: Pick<Disk, 'read'>, flag: string, path: string): Promise<string> {
  const content = await disk.read(path).catch((cause: unknown) => {
    throw new MaxbrodError('USAGE', `${flag}: cannot read ${path}`, { cause, path })
  })
  if (content === undefined) throw new MaxbrodError('USAGE', `${flag}: there is no file ${path}`, { path })
  return content.toString('utf8')
}
