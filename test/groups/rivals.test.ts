import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Entry } from '../../src/groups/entries.ts'
import { rivalsIn } from '../../src/groups/rivals.ts'

const entry = (group: string, topic: string, offset = 7): Entry => ({
  group,
  targetGroup: group,
  topic,
  partition: 0,
  topicId: undefined,
  target: { topic: 'b', partition: 0 },
  offset,
  metadata: '',
})

test('offsets of two topics for one target are rivals within a group, and between groups they are not', () => {
  const [a, b] = [entry('g', 'a'), entry('g', 'b')]
  const others = [entry('h', 'a'), entry('i', 'b')]
  assert.deepEqual(
    [...rivalsIn([a, ...others, b])],
    [
      [a, 'b'],
      [b, 'a'],
    ],
  )
  assert.deepEqual([...rivalsIn(others)], [])
})
