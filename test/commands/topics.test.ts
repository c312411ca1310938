import assert from 'node:assert/strict'
import { test } from 'node:test'
import { backedUp } from '../../src/commands/topics.ts'
import { anchoredRegex } from '../../src/config/regex.ts'

const options = {
  topics: [anchoredRegex('orders.*'), anchoredRegex('maxbrod.*'), anchoredRegex('__.*')],
  excludeTopics: [anchoredRegex('.*tmp')],
  includeInternal: false,
}

for (const [name, isInternal, answer] of [
  ['orders', false, 'yes'],
  ['orders.copy', false, 'held by a restore'],
  ['orders.tmp', false, 'excluded'],
  ['payments', false, 'not matched'],
  ['payments.tmp', false, 'not matched'],
  ['__consumer_offsets', true, 'internal'],
  ['maxbrod-drill-0123456789abcdef', false, 'of a drill'],
  ['maxbrod-drill-0123456789abcdef.orders', false, 'of a drill'],
  ['maxbrod-drill-orders', false, 'yes'],
] as const) {
  test(`a backup takes ${name}: ${answer}`, () => {
    const topic = { name, isInternal, topicId: undefined, partitions: 1, replicationFactor: 1, error: undefined }
    assert.equal(backedUp(topic, options, ['orders.copy', 'payments']), answer)
  })
}
