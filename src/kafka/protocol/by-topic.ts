/** Groups partitions by their topic, in the order in which the topics come first: requests name each topic once. */
export function byTopic<P extends { readonly topic: string }>(
  partitions: Iterable<P>,
): [topic: string, partitions: P[]][] {
  const topics = new Map<string, P[]>()
  for (const partition of partitions) {
    const known = topics.get(partition.topic)
    if (known === undefined) topics.set(partition.topic, [partition])
    else known.push(partition)
  }
  return [...topics]
}
