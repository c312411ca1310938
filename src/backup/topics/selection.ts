import { drillTopics } from '../../format/drill-names.ts'
import type { ClusterAdmin, TopicDescription } from '../../kafka/port/admin.ts'
import type { TopicSelection } from '../../kafka/port/membership.ts'
import type { HeldTopics } from './held-topics.ts'

export interface BackedUpTopics {
  readonly topics: readonly RegExp[]
  readonly excludeTopics: readonly RegExp[]
  readonly includeInternal: boolean
}

/**
 * The topics that the worker backs up: matched by one regex and by none of the excluded ones; Kafka's own only if asked for, and
 * none that a restore still fills, or that a drill has made for an hour.
 */
export function backupSelection(
  { topics, excludeTopics, includeInternal }: BackedUpTopics,
  held?: HeldTopics,
): TopicSelection {
  return {
    fingerprint: JSON.stringify([topics.map(String), excludeTopics.map(String), includeInternal]),
    names: undefined,
    matches: ({ name, isInternal }: TopicDescription) =>
      (includeInternal || !isInternal) &&
      topics.some(regex => regex.test(name)) &&
      !excludeTopics.some(regex => regex.test(name)) &&
      !drillTopics.test(name),
    ...(held === undefined ? {} : { narrow: (found: readonly TopicDescription[]) => held.without(found) }),
  }
}

/** The topics that a selection has now, also those of which the cluster does not tell more than their names. */
export async function selectTopics(
  admin: Pick<ClusterAdmin, 'topics'>,
  selection: TopicSelection,
): Promise<readonly TopicDescription[]> {
  const matched = (await admin.topics()).filter(topic => selection.matches(topic))
  return (await selection.narrow?.(matched)) ?? matched
}
