import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nothingMatched } from '../../src/backup/topics/nothing-matched.ts'
import { anchoredRegex, looseRegex } from '../../src/config/regex.ts'

const topic = (name: string, isInternal = false) => ({
  name,
  isInternal,
  topicId: undefined,
  partitions: 1,
  replicationFactor: 1,
  error: undefined,
})
const cluster = [topic('orders'), topic('payments'), topic('__consumer_offsets', true)]
const select = (texts: readonly string[], excluded: readonly string[] = [], read = anchoredRegex) => ({
  topics: texts.map(read),
  excludeTopics: excluded.map(read),
  includeInternal: false,
})

test('a selection that takes a topic is nothing to speak of', () => {
  for (const texts of [['.*'], ['nothing', 'orders']]) assert.equal(nothingMatched(select(texts), cluster), undefined)
})

for (const [what, options, topics, says] of [
  [
    'a mistyped name is told with the one that is near',
    select(['oders']),
    cluster,
    /^--topics oders matches none of the 3 topics of the cluster · did you mean orders\? · true$/,
  ],
  [
    'an expression of kafka-data-keep, too',
    select(['shop'], [], looseRegex),
    cluster,
    /^--topics shop matches none .* · maxbrod topics lists .* · true$/,
  ],
  [
    'what is matched and left out is told apart',
    select(['orders', '__.*'], ['ord.*']),
    cluster,
    /^all that --topics orders, __\.\* matches is internal, or left out .*: 2 topics · .* · true$/,
  ],
  [
    'an empty cluster is no mistake',
    select(['.*']),
    [],
    /^the cluster shows no topic to back up · .*right to describe.* · false$/,
  ],
] as const) {
  test(`of a selection without a topic: ${what}`, () => {
    const said = nothingMatched(options, topics)
    assert.match(`${said?.message} · ${said?.hint} · ${said?.isMistake}`, says)
  })
}
