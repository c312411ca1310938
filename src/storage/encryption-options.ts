import { list } from '../config/kinds-of-list.ts'
import { flag } from '../config/kinds-of-text.ts'
import type { Values } from '../config/section.ts'
import { section } from '../config/section.ts'

/** For who writes data files: public keys only. */
export const sealingOptions = section(
  'sealing',
  {
    encryptTo: list({
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
      placeholder: 'PATH',
      doc: 'File with secret keys of age (AGE-SECRET-KEY-1…) that open encrypted data files, and one that opens what is written. May be repeated.',
    }),
    encryptTo: list({
      placeholder: 'RECIPIENT',
      doc: 'Encrypt what is written for this recipient of age (age1…), or those in a file, one a line. May be repeated.',
    }),
  },
  { heading: 'Storage' },
)

export type ResealingOptions = Values<typeof resealingOptions>
export type SealingOptions = Values<typeof sealingOptions>
export type OpeningOptions = Values<typeof openingOptions>
