import assert from 'node:assert/strict'
import { test } from 'node:test'
import { releaseChanges } from '../../src/format/hold.ts'
import { configsAfter } from '../../src/executor/final-configs.ts'

const own = (name: string, value: string) => ({ name, value, isOwn: true, isReadOnly: false })
const inherited = (name: string, value: string | null) => ({ name, value, isOwn: false, isReadOnly: false })

const held = [
  own('retention.ms', '-1'),
  own('retention.bytes', '-1'),
  own('cleanup.policy', 'delete'),
  own('message.timestamp.type', 'CreateTime'),
  own('message.timestamp.before.max.ms', '3600000'), // sealed
  own('message.timestamp.after.max.ms', '9223372036854775807'),
  inherited('max.message.bytes', '1048588'),
]

test('what the hold and the seal have set goes back to what the plan noted, or to the broker’s default', () => {
  assert.deepEqual(
    Object.fromEntries(releaseChanges(held, { 'retention.ms': '604800000', 'cleanup.policy': 'compact' })),
    {
      'retention.ms': '604800000',
      'retention.bytes': null,
      'cleanup.policy': 'compact',
      'message.timestamp.type': null,
      'message.timestamp.before.max.ms': null,
      'message.timestamp.after.max.ms': null,
    },
  )
})

test('what somebody has set meanwhile stays, and so does what is right already', () => {
  const changed = held.map(entry => {
    if (entry.name === 'retention.ms') return own('retention.ms', '60000')
    return entry.name === 'retention.bytes' ? inherited('retention.bytes', '-1') : entry
  })
  const names = [...releaseChanges(changed, { 'retention.ms': '604800000', 'cleanup.policy': 'delete' }).keys()]
  assert.deepEqual(names, [
    'message.timestamp.type',
    'message.timestamp.before.max.ms',
    'message.timestamp.after.max.ms',
  ])
})

test('a topic that was finalized has nothing left to change', () => {
  const final = { 'retention.ms': '-1', 'cleanup.policy': 'compact' }
  const after = [own('retention.ms', '-1'), own('cleanup.policy', 'compact'), inherited('retention.bytes', '-1')]
  assert.equal(releaseChanges(after, final).size, 0)
})

test('the configs afterwards are those of the topic, else those of the broker in its own units', () => {
  const after = (changes: Record<string, string | null>, broker: Record<string, string | null>) =>
    Object.fromEntries(
      configsAfter(
        held,
        new Map(Object.entries(changes)),
        Object.entries(broker).map(([name, value]) => inherited(name, value)),
      ),
    )
  const put = { 'retention.ms': null, 'retention.bytes': '5', 'cleanup.policy': null }
  const broker = { 'log.cleanup.policy': 'delete', 'log.retention.bytes': '-1' }
  const rest = { 'retention.bytes': '5', 'cleanup.policy': 'delete' }
  assert.deepEqual(after(put, { ...broker, 'log.retention.hours': '168' }), { ...rest, 'retention.ms': '604800000' })
  const three = { 'log.retention.ms': null, 'log.retention.minutes': '5', 'log.retention.hours': '168' }
  assert.deepEqual(after(put, { ...broker, ...three }), { ...rest, 'retention.ms': '300000' })
  assert.deepEqual(after(put, { ...broker, ...three, 'log.retention.ms': '7' }), { ...rest, 'retention.ms': '7' })
  assert.deepEqual(after(put, { ...broker, 'log.retention.ms': '-1' }), { ...rest, 'retention.ms': '-1' })
})
