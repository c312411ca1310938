import type { TopicFolder } from '../../catalog/tile-list.ts'
import { strictDefinitions } from '../../catalog/sound-definitions.ts'
import type { TopicDefinition } from '../../format/snapshot/topic-definitions.ts'
import type { ObjectStore } from '../../storage/port.ts'

/** One topic of all that had the name. */
export interface Incarnation {
  readonly folder: TopicFolder
  /** Undefined when nothing says it. */
  readonly topicId: string | undefined
}

/**
 * What each incarnation was last in Kafka: the next topic of its name may be compacted, or kept for other times, and says nothing
 * of it. Only where its own was never saved, that of another one has to do.
 */
export async function definitionsOf(
  store: ObjectStore,
  incarnations: readonly Incarnation[],
  signal: AbortSignal,
): Promise<ReadonlyMap<Incarnation, TopicDefinition>> {
  const known = strictDefinitions(store)
  const found = new Map<Incarnation, TopicDefinition>()
  const find = async (wanted: readonly Incarnation[], fits: (definition: TopicDefinition) => boolean) => {
    const names = new Set(wanted.map(({ folder }) => folder.topic))
    const definitions = await known.find([...names], fits, undefined, signal)
    for (const one of wanted) {
      const definition = definitions.get(one.folder.topic)
      if (definition !== undefined) found.set(one, definition)
    }
  }
  const named = [...Map.groupBy(incarnations, ({ folder }) => folder.topic).values()]
  const most = named.reduce((count, same) => Math.max(count, same.length), 0)
  for (let n = 0; n < most; n++) {
    // They are looked for by name: of each name one at a time.
    const wanted = named.flatMap(same => same[n] ?? [])
    const ids = new Map(wanted.map(({ folder, topicId }) => [folder.topic, topicId]))
    await find(wanted, ({ topic, topic_id: id }) => id === null || id === (ids.get(topic) ?? id))
  }
  await find(
    incarnations.filter(one => !found.has(one)),
    () => true,
  )
  return found
}
