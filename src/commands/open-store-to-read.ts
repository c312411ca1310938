import { parseTileKey } from '../format/keys.ts'
import { decrypting } from '../storage/decrypting.ts'
import type { OpeningOptions } from '../storage/encryption-options.ts'
import { readIdentities } from '../storage/key-files.ts'
import type { Keys } from '../storage/key-files.ts'
import type { StorageOptions } from '../storage/options.ts'
import type { ObjectStore } from '../storage/port.ts'
import type { Context } from './command.ts'

/** The store, with encrypted data files opened by the secret keys of --identity. Keys are read before anything is connected to. */
export async function openStoreToRead(
  storage: StorageOptions,
  opening: OpeningOptions,
  context: Pick<Context, 'disk' | 'redactor' | 'openStore' | 'clock' | 'random' | 'logger' | 'metrics' | 'vitals'>,
): Promise<ObjectStore> {
  const identities = await readIdentities(context.disk, opening, secret => context.redactor.hide(secret))
  const mustBeSealed = (key: string) => opening.requireEncryption && isData(key)
  return decrypting(await context.openStore(storage, context), { identities, mustBeSealed, isData })
}

/** Definitions, groups and points are never encrypted. */
function isData(key: string): boolean {
  return parseTileKey(key) !== undefined
}

/** The store for who makes files of files: as it is, and with encrypted files opened. */
export async function openStoreToRemake(
  storage: StorageOptions,
  { identities }: Pick<Keys, 'identities'>,
  context: Pick<Context, 'openStore' | 'clock' | 'random' | 'logger' | 'metrics' | 'redactor' | 'vitals'>,
): Promise<{ readonly raw: ObjectStore; readonly store: ObjectStore }> {
  const raw = await context.openStore(storage, context)
  return { raw, store: decrypting(raw, { identities, mustBeSealed: () => false, isData }) }
}
