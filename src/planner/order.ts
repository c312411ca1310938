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
