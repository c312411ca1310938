import { list } from '../config/kinds-of-list.ts'
import { flag } from '../config/kinds-of-text.ts'
import type { Values } from '../config/section.ts'
import { section } from '../config/section.ts'
import { Unreadable } from '../config/unreadable.ts'
import { holdsSecretKey } from './age/keys.ts'

/** What stands there would be repeated in messages, and is in the list of processes for everybody to see. */
function check(text: string): void {
  if (!holdsSecretKey(text)) return
  throw new Unreadable(
    'a secret key is written where a file is to be named',
    'put it into a file with rights 0600, and give the path',
  )
}

/** For who writes data files: public keys only. */
export const sealingOptions = section(
  'sealing',
  {
    encryptTo: list({
      check,
      placeholder: 'RECIPIENT',
      isAdvanced: true,
      doc: 'Encrypt data files for this recipient of age (age1…), or those in a file, one a line. May be repeated: each of them can open every file. The worker itself cannot.',
    }),
    requireEncryption: flag({
      isAdvanced: true,
      doc: 'Refuse to store data files that are not encrypted: without --encrypt-to nothing begins.',
    }),
  },
  { heading: 'Storage' },
)

/** For who reads them. */
export const openingOptions = section(
  'opening',
  {
    identity: list({
      check,
      placeholder: 'PATH',
      isAdvanced: true,
      doc: 'File with secret keys of age (AGE-SECRET-KEY-1…) that open encrypted data files. May be repeated: each file is opened by whichever key fits.',
    }),
    requireEncryption: flag({
      isAdvanced: true,
      doc: 'Refuse data files that are not encrypted.',
    }),
  },
  { heading: 'Storage' },
)

/** For who writes files that are made of others. */
export const resealingOptions = section(
  'resealing',
  {
    identity: list({
      check,
      placeholder: 'PATH',
      doc: 'File with secret keys of age (AGE-SECRET-KEY-1…) that open encrypted data files, and one that opens what is written. May be repeated.',
    }),
    encryptTo: list({
      check,
      placeholder: 'RECIPIENT',
      doc: 'Encrypt what is written for this recipient of age (age1…), or those in a file, one a line. May be repeated.',
    }),
  },
  { heading: 'Storage' },
)

export type ResealingOptions = Values<typeof resealingOptions>
export type SealingOptions = Values<typeof sealingOptions>
export type OpeningOptions = Values<typeof openingOptions>
