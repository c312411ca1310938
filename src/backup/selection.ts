import type { TopicDescription, TopicSelection } from '../kafka/port.ts'

/** The topics that the worker backs up: matched by one regex and by none of the excluded ones; never Kafka's own. */
export function backupSelection(topics: readonly RegExp[], excluded: readonly RegExp[]): TopicSelection {
  return {
    fingerprint: JSON.stringify([topics.map(String), excluded.map(String)]),
    names: undefined,
    matches: ({ name, isInternal }: TopicDescription) =>
      !isInternal && topics.some(regex => regex.test(name)) && !excluded.some(regex => regex.test(name)),
  }
}
