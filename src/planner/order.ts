/**
 * The topics to restore, in the order in which the first regex matches them; names that one regex matches together are in
 * alphabetical order. Pure.
 */
export function orderTopics(names: Iterable<string>, topics: readonly RegExp[], excluded: readonly RegExp[]): string[] {
  const selected = [...names].filter(name => !excluded.some(regex => regex.test(name)))
  const priority = (name: string) => topics.findIndex(regex => regex.test(name))
  return selected
    .map(name => ({ name, rank: priority(name) }))
    .filter(({ rank }) => rank >= 0)
    .toSorted((a, b) => a.rank - b.rank || (a.name < b.name ? -1 : 1))
    .map(({ name }) => name)
}

/** What is larger than so many bytes comes behind all others, as many topics wait for a few; the order is the same otherwise. Pure. */
export function largeLast<T>(
  topics: readonly T[],
  largerThan: number | undefined,
  nameOf: (topic: T) => string,
  bytesOf: (topic: T) => number,
): T[] {
  if (largerThan === undefined) return [...topics]
  const bytes = new Map<string, number>()
  for (const topic of topics) bytes.set(nameOf(topic), (bytes.get(nameOf(topic)) ?? 0) + bytesOf(topic))
  const isLarge = (topic: T) => ((bytes.get(nameOf(topic)) ?? 0) > largerThan ? 1 : 0)
  return topics.toSorted((a, b) => isLarge(a) - isLarge(b))
}
