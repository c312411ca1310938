import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DefinitionKeeper } from '../../src/backup/topics/definitions.ts'
import { clusterPolicyOf } from '../../src/backup/topics/cluster-policy.ts'
import type { WorkerContext } from '../../src/backup/deps.ts'
import { bodyOf } from '../../src/catalog/object-body.ts'
import { SoundDefinitions, strictDefinitions } from '../../src/catalog/sound-definitions.ts'
import type { ClusterAdmin, TopicAcl, ConfigEntry, TopicDescription } from '../../src/kafka/port/admin.ts'
import type { TopicSelection } from '../../src/kafka/port/membership.ts'
import { silentLogger } from '../../src/observe/logger.ts'
import { topicsKey } from '../../src/format/system-keys.ts'
import { MaxbrodError } from '../../src/runtime/errors.ts'
import { newMemoryStore } from '../../src/storage/memory.ts'
import { ManualClock } from '../helpers/manual-clock.ts'
import { all } from '../helpers/object-bodies.ts'

const never = new AbortController().signal
const LITERAL = 3
const PREFIXED = 4

function acl(resource: string, patternType: number, principal: string): TopicAcl {
  return { resource, patternType, principal, host: '*', operation: 3, permission: 3 }
}

/** A cluster whose topics, configs and ACLs the test writes down, and an archive. */
function openScene() {
  const topics: TopicDescription[] = ['orders', 'payments', 'left out'].map(name => ({
    name,
    topicId: `id of ${name}`,
    isInternal: false,
    partitions: 3,
    replicationFactor: 2,
    error: undefined,
  }))
  const configs = new Map<string, ConfigEntry[]>()
  const acls: TopicAcl[] = []
  /** Topics whose configs may not be seen. */
  const denied = new Set<string>()
  const admin: Partial<ClusterAdmin> = {
    topics: async () => topics,
    async topicConfigs(names) {
      if (names.some(name => denied.has(name))) throw new MaxbrodError('KAFKA_AUTH', 'denied')
      return configs
    },
    topicAcls: async () => acls,
  }
  const store = newMemoryStore()
  const clock = new ManualClock()
  const context = { store, clock, log: silentLogger, kafka: { admin } } as unknown as WorkerContext
  const selection = {
    fingerprint: '',
    names: undefined,
    matches: ({ name }: { name: string }) => name !== 'left out',
  }
  const newKeeper = (of: TopicSelection = selection) => new DefinitionKeeper(context, of)
  const written = async () => (await all(store.list('@topics/'))).length
  const newest = async () => (await strictDefinitions(store).newest(never))?.topics
  return { topics, configs, acls, denied, clock, store, newKeeper, written, newest }
}

test('definitions that were written by a clock far ahead do not hide what changes later', async () => {
  const { topics, clock, newKeeper, written, newest } = openScene()
  const yearMs = 365 * 24 * 3_600_000
  clock.advance(yearMs)
  await newKeeper().keep(never)
  clock.advance(-yearMs)
  for (const partitions of [5, 6]) {
    topics[0] = { ...topics[0]!, partitions }
    await newKeeper().keep(never)
    assert.equal((await newest())?.find(({ topic }) => topic === 'orders')?.partitions, partitions)
  }
  assert.equal(await written(), 3)
})

test('topic definitions are written once, by whoever comes first, and again when something has changed', async () => {
  const { topics, configs, acls, clock, newKeeper, written, newest } = openScene()
  const keeper = newKeeper()
  await keeper.keep(never)
  await keeper.keep(never)
  await newKeeper().keep(never)
  assert.equal(await written(), 1)
  assert.deepEqual(
    (await newest())?.map(({ topic, topic_id: id, partitions, replication_factor: replicas }) => [
      topic,
      id,
      partitions,
      replicas,
    ]),
    [
      ['orders', 'id of orders', 3, 2],
      ['payments', 'id of payments', 3, 2],
    ],
  )
  const changes: (() => unknown)[] = [
    () => (topics[0] = { ...topics[0]!, partitions: 4 }),
    () => (topics[0] = { ...topics[0]!, topicId: 'of a new incarnation' }),
    () => configs.set('orders', [{ name: 'retention.ms', value: '1000', isOwn: true }] as ConfigEntry[]),
    () => acls.push(acl('orders', LITERAL, 'User:a'), acl('pay', PREFIXED, 'User:b'), acl('*', LITERAL, 'User:c')),
    () => topics.pop(),
    () => topics.pop(),
  ]
  for (const [n, change] of changes.entries()) {
    change()
    clock.advance(1)
    await keeper.keep(never)
    // The topic that is left out by the selection is nobody's change.
    assert.equal(await written(), n < 4 ? n + 2 : n + 1, `change ${n}`)
  }
  const [orders] = (await newest())!
  assert.deepEqual(orders!.configs, { 'retention.ms': '1000' })
  assert.deepEqual(
    orders!.acls.map(({ resource, principal }) => `${resource} ${principal}`),
    ['orders User:a', '* User:c'],
  )
})

test('what the cluster tells in another order, and defaults, are no change', async () => {
  const { topics, configs, acls, clock, newKeeper, written } = openScene()
  acls.push(acl('orders', LITERAL, 'User:a'), acl('orders', LITERAL, 'User:b'))
  const keeper = newKeeper()
  await keeper.keep(never)
  topics.reverse()
  acls.reverse()
  configs.set('orders', [{ name: 'segment.bytes', value: '1', isOwn: false }] as ConfigEntry[])
  clock.advance(1)
  await keeper.keep(never)
  await newKeeper().keep(never)
  assert.equal(await written(), 1)
})

test('what is known of topics that others back up, or that a restore fills, stays until they are gone or others', async () => {
  const { topics, configs, clock, newKeeper, written, newest } = openScene()
  const only = (wanted: string): TopicSelection => ({
    fingerprint: wanted,
    names: undefined,
    matches: ({ name }) => name === wanted,
  })
  const isHeld = new Set<string>()
  const narrow = async (found: readonly TopicDescription[]) => found.filter(({ name }) => !isHeld.has(name))
  const [orders, payments] = [newKeeper({ ...only('orders'), narrow }), newKeeper(only('payments'))]
  const known = async () => (await newest())?.map(({ topic, topic_id: id }) => `${topic}: ${id}`)
  const keep = async (...keepers: DefinitionKeeper[]) => {
    for (const keeper of keepers) {
      clock.advance(1)
      await keeper.keep(never)
    }
  }
  await keep(orders, payments, orders, payments)
  assert.deepEqual(await known(), ['orders: id of orders', 'payments: id of payments'])
  assert.equal(await written(), 2)

  isHeld.add('orders')
  configs.set('payments', [{ name: 'retention.ms', value: '1000', isOwn: true }] as ConfigEntry[])
  await keep(orders, payments)
  assert.deepEqual(await known(), ['orders: id of orders', 'payments: id of payments'])
  assert.equal(await written(), 3)

  topics[0] = { ...topics[0]!, topicId: 'of a new incarnation' }
  configs.delete('payments')
  await keep(orders, payments)
  assert.deepEqual(await known(), ['payments: id of payments'])
  assert.equal(await written(), 4)
})

test('of two groups that write definitions in one millisecond neither loses its topics, and the newest object has all', async () => {
  const { newKeeper, written, newest } = openScene()
  const only = (wanted: string): TopicSelection => ({
    fingerprint: wanted,
    names: undefined,
    matches: ({ name }) => name === wanted,
  })
  const [orders, payments] = [newKeeper(only('orders')), newKeeper(only('payments'))]
  await Promise.all([orders.keep(never), payments.keep(never)])
  assert.deepEqual(
    (await newest())?.map(({ topic }) => topic),
    ['orders', 'payments'],
  )
  assert.equal(await written(), 2)
  for (const keeper of [orders, payments, newKeeper(only('orders'))]) await keeper.keep(never)
  assert.equal(await written(), 2)
})

test('a topic whose configs may not be seen keeps those that were known of it, and hides no other', async () => {
  const { topics, configs, denied, clock, newKeeper, written, newest } = openScene()
  const retention = { name: 'retention.ms', value: '1000', isOwn: true } as ConfigEntry
  configs.set('orders', [retention]).set('payments', [retention])
  await newKeeper().keep(never)
  const configsOf = async (topic: string) => (await newest())?.find(one => one.topic === topic)?.configs

  denied.add('orders')
  configs.delete('orders')
  configs.set('payments', [{ ...retention, value: '2000' }])
  topics[0] = { ...topics[0]!, partitions: 9 }
  const keeper = newKeeper()
  for (let look = 0; look < 2; look++) {
    clock.advance(1)
    await keeper.keep(never)
  }
  assert.equal(await written(), 2)
  assert.deepEqual(await configsOf('orders'), { 'retention.ms': '1000' })
  assert.deepEqual(await configsOf('payments'), { 'retention.ms': '2000' })
  assert.equal((await newest())?.find(({ topic }) => topic === 'orders')?.partitions, 9)

  // Of another topic of that name nothing is known.
  topics[0] = { ...topics[0], topicId: 'of a new incarnation' }
  clock.advance(1)
  await keeper.keep(never)
  assert.deepEqual(await configsOf('orders'), {})
  const unseen = async () => (await newest())?.filter(one => one.areConfigsUnseen).map(({ topic }) => topic)
  assert.deepEqual(await unseen(), ['orders'])

  // Who may not see them either adds nothing, and who may see that all are defaults says so.
  topics[1] = { ...topics[1]!, partitions: 9 }
  clock.advance(1)
  await newKeeper().keep(never)
  assert.deepEqual(await unseen(), ['orders'])
  denied.clear()
  clock.advance(1)
  await newKeeper().keep(never)
  assert.deepEqual([await written(), await unseen(), await configsOf('orders')], [5, [], {}])
})

test('damaged definitions do not end a backup: older ones say what is known of others, and new ones come behind', async () => {
  const { topics, clock, store, newKeeper } = openScene()
  const only: TopicSelection = { fingerprint: '', names: undefined, matches: ({ name }) => name === 'orders' }
  await newKeeper().keep(never)
  clock.advance(1)
  await store.put(topicsKey(clock.now()), bodyOf(Buffer.from('no definitions')), {})
  clock.advance(1)
  topics[0] = { ...topics[0]!, partitions: 4 }
  await newKeeper(only).keep(never)
  const told: string[] = []
  const sound = new SoundDefinitions(store, key => void told.push(key))
  assert.deepEqual(
    (await sound.newest(never))?.topics.map(({ topic, partitions }) => `${topic}: ${partitions}`),
    ['orders: 4', 'payments: 3'],
  )
  assert.deepEqual(told, [])
})

test('what a cluster does by default stands beside the configs of its topics, and goes for those that others back up, too', async () => {
  const { configs, denied, clock, newKeeper, written, newest } = openScene()
  const policy = (value: string, isOwn: boolean) => [{ name: 'cleanup.policy', value, isOwn }] as ConfigEntry[]
  const only: TopicSelection = { fingerprint: '', names: undefined, matches: ({ name }) => name === 'orders' }
  const keep = async (selection?: TopicSelection) => {
    clock.advance(1)
    await newKeeper(selection).keep(never)
    return (await newest())?.map(({ configs: own, clusterPolicy }) => [own['cleanup.policy'], clusterPolicy])
  }
  assert.deepEqual(await keep(), [
    [undefined, undefined],
    [undefined, undefined],
  ])
  configs.set('orders', policy('compact', false)).set('payments', policy('delete', true))
  const [orders, payments] = [
    [undefined, 'compact'],
    ['delete', 'compact'],
  ]
  assert.deepEqual(await keep(), [orders, payments])
  await keep()
  assert.equal(await written(), 2)
  // Who does not see it any more takes over what others have seen.
  denied.add('orders')
  assert.deepEqual(await keep(), [orders, payments])
  assert.equal(await written(), 2)
  denied.clear()
  configs.set('orders', policy('compact,delete', false))
  assert.deepEqual(await keep(only), [
    [undefined, 'compact,delete'],
    ['delete', 'compact,delete'],
  ])
})

test('of brokers that differ in what they do by default, that counts which keeps more', () => {
  const entries = (value: string, isOwn = false) => [{ name: 'cleanup.policy', value, isOwn }] as ConfigEntry[]
  assert.equal(clusterPolicyOf([entries('delete'), entries('compact'), entries('compact,delete')]), 'compact')
  assert.equal(clusterPolicyOf([entries('delete'), entries('compact', true)]), 'delete')
  assert.equal(clusterPolicyOf([entries('compact', true), []]), undefined)
})
