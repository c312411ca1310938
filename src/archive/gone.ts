import { isSystemKey } from '../format/system-keys.ts'
import { parseTileKey } from '../format/keys.ts'
import type { Prunes } from '../catalog/prunes.ts'
import { nowhere } from './findings.ts'
import type { Finding } from './findings.ts'
import type { Ledger } from './ledger.ts'
import { isSelected } from './survey.ts'
import type { TopicSelection } from './survey.ts'

/** What was there once, and was not pruned. */
export function gone(
  { files: known }: Ledger,
  files: readonly { readonly key: string }[],
  selection: TopicSelection,
  prunes: Prunes,
): Finding[] {
  const present = new Set(files.map(({ key }) => key))
  return [...known].flatMap(([key, { atMs }]): Finding[] => {
    const says = `${key} was verified at ${new Date(atMs).toISOString()}, and is gone`
    if (present.has(key)) return []
    const place = parseTileKey(key)
    if (prunes.hasRemoved(key) || (place !== undefined && prunes.isPruned(place))) return []
    if (place === undefined && isSystemKey(key)) return [{ kind: 'gone', ...nowhere, key, says }]
    if (place === undefined || !isSelected(place.topic, selection)) return []
    const { topic, partition, from } = place
    return [{ kind: 'gone', topic, partition, key, from, to: undefined, says }]
  })
}
