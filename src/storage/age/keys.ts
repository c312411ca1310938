import { MaxbrodError } from '../../runtime/errors.ts'
import { decodeBech32 } from './bech32.ts'
import { KEY_BYTES, identityOf, recipientOf } from './x25519.ts'
import type { Identity, Recipient } from './x25519.ts'

const RECIPIENT = 'age'
const IDENTITY = 'age-secret-key-'
/** Each of them adds about a hundred bytes to every file, and a reader looks at no header without end. */
export const MAX_RECIPIENTS = 100

/** True for what is a recipient, and not the name of a file with some. */
export function looksLikeRecipient(text: string): boolean {
  return /^age1[0-9a-z]{20,}$/i.test(text)
}

/** A recipient as `age-keygen -y` prints it. Throws USAGE. */
export function parseRecipient(text: string): Recipient {
  const raw = decodeBech32(RECIPIENT, text)
  if (raw?.length === KEY_BYTES) return recipientOf(raw)
  throw new MaxbrodError('USAGE', `'${text}' is not a recipient of age`, { hint: RECIPIENT_HINT })
}

const RECIPIENT_HINT =
  'recipients are those of age-keygen, age1…; those of plug-ins, SSH keys and passphrases are not taken'

/** The recipients in a file, one a line, with empty lines and comments. Throws USAGE. */
export function parseRecipients(content: string, path: string): Recipient[] {
  const lines = linesOf(content)
  // Somebody took the wrong file: what stands there must not be printed.
  if (lines.some(holdsSecretKey))
    throw new MaxbrodError('USAGE', `--encrypt-to: ${path} holds secret keys, where recipients belong`, {
      path,
      hint: 'age-keygen -y prints the recipient of a secret key; a worker needs no more',
    })
  if (lines.length === 0) throw new MaxbrodError('USAGE', `--encrypt-to: ${path} holds no recipient`, { path })
  return lines.map((text, index) => {
    const raw = decodeBech32(RECIPIENT, text)
    if (raw?.length === KEY_BYTES) return recipientOf(raw)
    throw new MaxbrodError('USAGE', `--encrypt-to: line ${index + 1} of the keys in ${path} is no recipient of age`, {
      path,
      hint: RECIPIENT_HINT,
    })
  })
}

/** The secret keys in a file, as age-keygen writes it. Throws USAGE, and never tells what stands there. */
export function parseIdentities(content: string, path: string): { identities: Identity[]; secrets: string[] } {
  const secrets = linesOf(content)
  const identities = secrets.map((text, index) => {
    const raw = decodeBech32(IDENTITY, text)
    if (raw?.length === KEY_BYTES) return identityOf(raw)
    throw new MaxbrodError('USAGE', `--identity: line ${index + 1} of the keys in ${path} is no secret key of age`, {
      path,
      hint:
        content.includes('age-encryption.org/v1') || content.includes('BEGIN AGE')
          ? 'the file is itself encrypted: age -d opens it'
          : 'it must hold keys of age-keygen, AGE-SECRET-KEY-1…',
    })
  })
  if (identities.length === 0) throw new MaxbrodError('USAGE', `--identity: ${path} holds no secret key`, { path })
  return { identities, secrets }
}

/** True for a text with a secret key in it, of age or of one of its plug-ins. */
export function holdsSecretKey(text: string): boolean {
  return /age-(?:secret-key|plugin-.{1,60})-1[02-9ac-hj-np-z]{20,}/i.test(text)
}

function linesOf(content: string): string[] {
  return content
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '' && !line.startsWith('#'))
}
