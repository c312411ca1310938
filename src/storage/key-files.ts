import type { Disk } from '../runtime/disk.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import { MAX_RECIPIENTS, looksLikeRecipient, parseIdentities, parseRecipient, parseRecipients } from './age/keys.ts'
import { sealFor } from './age/seal.ts'
import type { Identity } from './age/x25519.ts'
import type { OpeningOptions, SealingOptions } from './encryption-options.ts'
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
  return sealFor(recipients)
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
