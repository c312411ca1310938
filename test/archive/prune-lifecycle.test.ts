import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lifecycleOf } from '../../src/archive/prune/lifecycle.ts'
import type { TopicRule } from '../../src/archive/prune/rules.ts'

const day = 24 * 3_600_000
const topic = (name: string, rule: TopicRule, topicId?: string) => ({
  folder: { topic: name, topicId, name: topicId === undefined ? name : `${name}@${topicId}` },
  topicId,
  isSelected: true,
  rule,
})
const byTime = (keepMs: number) => ({ keepMs, keepBytes: undefined, source: undefined })

test('lifecycle rules name the files of each topic and its later incarnations, in whole days, below the prefix of the backup', () => {
  const topics = [
    topic('orders', byTime(30 * day)),
    topic('orders', byTime(30 * day), 'id'),
    topic('clicks', byTime(1)),
  ]
  const { rules, without } = lifecycleOf(topics, 'shop/prod')
  assert.deepEqual(without, [])
  assert.deepEqual(
    rules.map(({ Filter: { Prefix }, Expiration: { Days }, Status }) => [Prefix, Days, Status]),
    [
      ['shop/prod/orders/', 30, 'Enabled'],
      ['shop/prod/orders@', 30, 'Enabled'],
      ['shop/prod/clicks/', 1, 'Enabled'],
      ['shop/prod/clicks@', 1, 'Enabled'],
    ],
  )
  assert.equal(lifecycleOf(topics, '').rules[0]?.Filter.Prefix, 'orders/')
})

test('of several incarnations what keeps one of them longest counts for all', () => {
  const again = (...all: TopicRule[]) =>
    lifecycleOf(
      all.map((rule, n) => topic('again', rule, n === 0 ? undefined : `id ${n}`)),
      '',
    )
  const days = (...all: TopicRule[]) => again(...all).rules.map(({ Expiration }) => Expiration.Days)
  assert.deepEqual(days(byTime(30 * day), byTime(2 * day)), [30, 30])
  assert.deepEqual(days(byTime(2 * day), byTime(30 * day)), [30, 30])
  const { rules, without } = again({ keepsAll: 'it is compacted' }, byTime(day))
  assert.deepEqual([rules, without], [[], [{ topic: 'again', why: 'it is compacted' }]])
})

test('lifecycle rules have names of their own, however long those of topics are', () => {
  const topics = ['a', 'b'].map(end => topic('x'.repeat(248) + end, byTime(day)))
  const ids = lifecycleOf(topics, 'p').rules.map(({ ID }) => ID)
  assert.equal(new Set(ids).size, 4)
  assert.ok(ids.every(id => id.length <= 255))
})

test('what a bucket cannot do by time alone is told and has no rule', () => {
  const { rules, without } = lifecycleOf(
    [
      topic('kept', { keepsAll: 'it is compacted' }),
      topic('bytes', { keepMs: day, keepBytes: 5, source: undefined }),
      topic('source', { keepMs: undefined, keepBytes: undefined, source: { keepMs: 36 * 3_600_000, keepBytes: 1 } }),
    ],
    '',
  )
  assert.deepEqual(
    without.map(one => one.topic),
    ['kept', 'bytes'],
  )
  assert.deepEqual(
    rules.map(({ Expiration }) => Expiration.Days),
    [2, 2],
  )
})
