import type { TopicDescription, TopicSelection } from '../kafka/port.ts'

export interface BackedUpTopics {
  readonly topics: readonly RegExp[]
  readonly excludeTopics: readonly RegExp[]
  readonly includeInternal: boolean
}

/** The topics that the worker backs up: matched by one regex and by none of the excluded ones; Kafka's own only if asked for. */
export function backupSelection({ topics, excludeTopics, includeInternal }: BackedUpTopics): TopicSelection {
  return {
    fingerprint: JSON.stringify([topics.map(String), excludeTopics.map(String), includeInternal]),
    names: undefined,
    matches: ({ name, isInternal }: TopicDescription) =>
      (includeInternal || !isInternal) &&
      topics.some(regex => regex.test(name)) &&
      !excludeTopics.some(regex => regex.test(name)),
  }
}
