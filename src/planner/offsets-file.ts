import { isTopicName } from '../format/keys.ts'
import { MaxbrodError } from '../runtime/errors.ts'
import { PartitionMap } from '../runtime/topic-partition.ts'

/**
 * Offsets by partition: lines such as `orders:0:4711`, as kafka-get-offsets.sh prints them, or with commas, as
 * kafka-consumer-groups.sh takes them. Empty lines and those behind `#` do not count. Throws USAGE with the line.
 */
export function parseOffsetsFile(text: string, path: string): PartitionMap<number> {
  const offsets = new PartitionMap<number>()
  for (const [n, line] of text.split(/\r?\n/).entries()) {
    const content = line.replace(/#.*$/, '').trim()
    if (content === '') continue
    const [, topic = '', partition = '', offset = ''] = /^"?([^:,"]+)"?[:,]\s*(\d+)\s*[:,]\s*(\d+)$/.exec(content) ?? []
    const where = { topic, partition: Number(partition) }
    const value = Number(offset)
    if (!isTopicName(topic) || where.partition > MAX_INT32 || !Number.isSafeInteger(value))
      throw new MaxbrodError('USAGE', `line ${n + 1} of ${path} is not topic:partition:offset`, { hint: FORM })
    const before = offsets.get(where)
    if (before !== undefined && before !== value)
      throw new MaxbrodError('USAGE', `line ${n + 1} of ${path} gives ${topic}-${partition} a second offset`)
    offsets.set(where, value)
  }
  return offsets
}

const MAX_INT32 = 2 ** 31 - 1
const FORM = 'write one line for each partition, such as orders:0:4711; kafka-get-offsets.sh prints them like that'
