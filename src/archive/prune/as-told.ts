import { createHash } from 'node:crypto'
import { tileFactsFromMap } from '../../format/facts.ts'
import type { GenerationFile } from '../../format/generation.ts'
import type { ObjectStore } from '../../storage/port.ts'
import { problemOf } from '../survey.ts'

/** True for an object that is the very one that a seal tells of, and all of it. */
export async function isAsTold(
  store: ObjectStore,
  { key, from, to, bytes, sha256, storedSha256 = sha256 }: GenerationFile,
  signal: AbortSignal,
): Promise<boolean> {
  const head = await store.head(key, signal)
  if (head === undefined || head.bytes !== bytes || head.facts['sha256'] !== storedSha256) return false
  const facts = tileFactsFromMap(head.facts)
  return facts !== undefined && facts.coversTo === to && from < to
}

/** True when an object has the bytes that a seal tells of, whatever stands beside it. */
export async function holdsItsBytes(
  store: ObjectStore,
  { key, sha256, storedSha256 = sha256 }: GenerationFile,
  onBytes: (bytes: number) => void,
  signal: AbortSignal,
): Promise<boolean> {
  const hash = createHash('sha256')
  try {
    const { body } = await store.get(key, { facts: 'unneeded', signal })
    for await (const chunk of body) {
      hash.update(chunk)
      onBytes(chunk.length)
    }
  } catch (error) {
    if (problemOf(error) === undefined) throw error
    return false
  }
  return hash.digest('hex') === storedSha256
}
