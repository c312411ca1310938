import { parseFirstIncarnation } from '../catalog/incarnation.ts'
import {
  firstIncarnationKey,
  firstIncarnationPrefix,
  groupsPrefix,
  parseSnapshotKey,
  parsePruneKey,
  parseReportKey,
  pointsPrefix,
  prunesPrefix,
  reportsPrefix,
  topicsPrefix,
} from '../format/system-keys.ts'
import { isTopicName } from '../format/keys.ts'
import { decodePruneRecord } from '../format/prune-record.ts'
import { DecodeError } from '../format/batch/varint.ts'
import { groupOffsets } from '../format/snapshot/group-offsets.ts'
import { restorationPoints } from '../format/snapshot/restoration-point.ts'
import { topicDefinitions } from '../format/snapshot/topic-definitions.ts'
import type { ListedObject, ObjectStore } from '../storage/port.ts'

/** What a backup holds beside its data files: what a restore needs, and what people read. */
export interface SystemObject extends ListedObject {
  /** Of the objects that say which incarnation of a topic was first. */
  readonly topic: string | undefined
  /** Throws DecodeError unless the bytes are what such an object holds. */
  readonly decode: (content: Buffer) => Promise<unknown>
}

const SNAPSHOTS = [
  [groupsPrefix, groupOffsets.decode],
  [pointsPrefix, restorationPoints.decode],
  [topicsPrefix, topicDefinitions.decode],
] as const

/** Group snapshots, restoration points, topic definitions, what names the first incarnation of each topic, records of prunes, and reports. */
export async function listSystemObjects(
  store: ObjectStore,
  onForeign: (key: string) => void,
  signal: AbortSignal,
): Promise<SystemObject[]> {
  const found: SystemObject[] = []
  for (const [prefix, decode] of SNAPSHOTS) {
    for await (const object of store.list(prefix, { signal })) {
      const topic = firstTopicOf(object.key)
      if (topic !== undefined) found.push({ ...object, topic, decode: decodeFirst })
      else if (parseSnapshotKey(prefix, object.key) !== undefined) found.push({ ...object, topic: undefined, decode })
      else onForeign(object.key)
    }
  }
  for await (const object of store.list(prunesPrefix, { signal })) {
    const decode = (content: Buffer) => Promise.resolve(content).then(decodePruneRecord)
    if (parsePruneKey(object.key) !== undefined) found.push({ ...object, topic: undefined, decode })
    else onForeign(object.key)
  }
  for await (const object of store.list(reportsPrefix, { signal })) {
    if (parseReportKey(object.key) !== undefined) found.push({ ...object, topic: undefined, decode: decodeReport })
    else onForeign(object.key)
  }
  return found
}

/** No restore needs it; who reads it in a browser should read what was written. */
function decodeReport(content: Buffer): Promise<void> {
  const text = content.toString()
  const isWhole = text.startsWith('<!doctype html>') && text.endsWith('</html>\n')
  return isWhole
    ? Promise.resolve()
    : Promise.reject(new DecodeError('it is not the page of a report, or not all of it'))
}

function firstTopicOf(key: string): string | undefined {
  const topic = key.slice(firstIncarnationPrefix.length, -'.json'.length)
  return isTopicName(topic) && firstIncarnationKey(topic) === key ? topic : undefined
}

function decodeFirst(content: Buffer): Promise<string> {
  const topicId = parseFirstIncarnation(content)
  return topicId === undefined
    ? Promise.reject(new DecodeError('it does not name a topic id'))
    : Promise.resolve(topicId)
}
