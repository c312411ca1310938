import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDirectoryStore } from '../../src/storage/directory.ts'
import type { ErasableStore } from '../../src/storage/port.ts'
import { newAgeKey } from './age-keys.ts'
import type { AgeKey } from './age-keys.ts'
import { updates } from './compacting.ts'
import type { DigestRecord } from './records.ts'
import { putFor } from './rewrapping.ts'
import { Dice } from './seed.ts'

export const place = { topic: 'users', partition: 0 }

/** An archive of three files for an old key in a folder, of which tests get copies, and the new key. */
export interface RewrapScene extends AsyncDisposable {
  readonly old: AgeKey
  readonly present: AgeKey
  readonly originals: readonly string[]
  readonly records: readonly DigestRecord[]
  /** A copy for `--storage`, under a name of its own. */
  copy(name: string): Promise<RewrapCopy>
}

export interface RewrapCopy {
  readonly store: ErasableStore
  /** `maxbrod rewrap` for the new key. */
  readonly rewrap: readonly string[]
  /** `maxbrod prune --superseded --yes`. */
  readonly prune: readonly string[]
}

export async function openRewrapScene(): Promise<RewrapScene> {
  const folder = await mkdtemp(join(tmpdir(), 'maxbrod-rewrap-'))
  const [old, present] = [newAgeKey(), newAgeKey()]
  const store = openDirectoryStore(join(folder, 'original'))
  const records = updates(new Dice('kills'), 300, 90, 0)
  const begins = [0, 100, 200].map(n => Number(records[n]!.offset) * Math.sign(n))
  const originals: string[] = []
  for (const [n, from] of begins.entries()) {
    const to = begins[n + 1] ?? Number(records.at(-1)!.offset) + 1
    originals.push(await putFor(store, [old], place, [from, to], records.slice(n * 100, (n + 1) * 100)))
  }
  const identities = await Promise.all(
    [old, present].map(async ({ identityText }, n) => {
      const path = join(folder, `${n}.key`)
      await writeFile(path, identityText)
      return `--identity=${path}`
    }),
  )
  return {
    old,
    present,
    originals,
    records,
    async copy(name) {
      const path = join(folder, name.replaceAll(/\W/g, '-'))
      await cp(join(folder, 'original'), path, { recursive: true })
      const storage = `--storage=file://${path}`
      return {
        store: openDirectoryStore(path),
        rewrap: ['rewrap', storage, ...identities, `--encrypt-to=${present.recipientText}`],
        prune: ['prune', storage, '--superseded', '--yes'],
      }
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  }
}
