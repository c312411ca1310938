import type { ClusterAdmin, TopicDescription } from '../../kafka/port/admin.ts'
import type { SpoolHead } from '../spool/spool-notes.ts'

/** Those of topics that were deleted since they were read, or created again. */
export async function goneHeads(
  admin: Pick<ClusterAdmin, 'topics'>,
  heads: readonly SpoolHead[],
): Promise<SpoolHead[]> {
  const names = [...new Set(heads.map(({ topic }) => topic))]
  if (names.length === 0) return []
  const topics = new Map((await admin.topics(names)).map(topic => [topic.name, topic]))
  return heads.filter(head => isGone(head, topics.get(head.topic)))
}

/** False where that cannot be told: of a topic without an id, another one of its name may be there by now. */
function isGone({ topicId }: SpoolHead, found: TopicDescription | undefined): boolean {
  if (found === undefined) return true
  return topicId !== undefined && found.error === undefined && (found.topicId ?? topicId) !== topicId
}
