/** What is remembered of a file that was read to its end once. */
export interface Verified {
  readonly etag: string
  readonly bytes: number
  readonly sha256: string
  readonly atMs: number
}

interface Candidate {
  readonly key: string
  readonly etag: string
  readonly bytes: number
}

/**
 * Which files are read: the wanted share of all, those first that were never read or that were read longest ago, in a random
 * order among equals; in any case those that are not what they were. What is in `done` was read by the same run before. Pure.
 */
export function chooseFiles<T extends Candidate>(
  files: readonly T[],
  known: ReadonlyMap<string, Verified>,
  share: number,
  done: ReadonlySet<string>,
  random: () => number,
): readonly T[] {
  const wanted = Math.ceil(files.length * share)
  const ranked = files
    .map(file => ({ file, before: known.get(file.key), chance: random() }))
    .toSorted((a, b) => (a.before?.atMs ?? -1) - (b.before?.atMs ?? -1) || a.chance - b.chance)
  const isSame = ({ file, before }: (typeof ranked)[number]) =>
    before === undefined || (before.etag === file.etag && before.bytes === file.bytes)
  const isDone = (one: (typeof ranked)[number]) => done.has(one.file.key) && isSame(one)
  const open = ranked.filter(one => !isDone(one))
  const left = wanted - (files.length - open.length)
  const chosen = new Set([...open.filter(one => !isSame(one)), ...open.slice(0, Math.max(0, left))])
  // In the order of the listing, which is that of the disk, too.
  const keys = new Set([...chosen].map(({ file }) => file.key))
  return files.filter(({ key }) => keys.has(key))
}
