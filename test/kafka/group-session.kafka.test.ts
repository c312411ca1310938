import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { OtherSelection, Ownership } from '../../src/kafka/port/membership.ts'
import type { Clock } from '../../src/runtime/clock.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { isMaxbrodError } from '../../src/runtime/errors.ts'
import { eventually } from '../helpers/eventually.ts'
import type { TestMember } from '../helpers/group-member.ts'
import { GroupOfMembers } from '../helpers/group-of-members.ts'
import { Kafka } from '../helpers/kafka-broker.ts'
import { Referee } from '../helpers/referee.ts'
import { skipWithForeignKafka } from '../helpers/shared-kafka.ts'
import type { World } from '../helpers/world.ts'
import { openWorld } from '../helpers/world.ts'

const all = (topic: string, partitions: number) => Array.from({ length: partitions }, (_, n) => `${topic}-${n}`)

/** Resolves when the members together own exactly these partitions. */
async function untilOwned(members: readonly TestMember[], partitions: readonly string[], each?: number): Promise<void> {
  await eventually(`${partitions.length} partitions have owners`, () => {
    const owned = members.flatMap(member => member.owned())
    assert.deepEqual(owned.toSorted(), partitions.toSorted())
    return each === undefined || members.every(member => member.owned().length === each)
  })
}

async function topicOf(world: World, partitions: number): Promise<string> {
  const topic = world.name('t')
  await world.referee.createTopic(topic, { partitions })
  return topic
}

function commit(member: TestMember, ownership: Ownership, offset: number): Promise<string | undefined> {
  const outcome = member.session.commit([{ ownership, offset, leaderEpoch: -1, metadata: '' }])
  return outcome.then(outcomes => outcomes.get(ownership))
}

test('while members come and go, what is kept never stops, and each partition has one owner at most', async t => {
  await using world = await openWorld(t)
  const topic = await topicOf(world, 6)
  await using group = new GroupOfMembers(world.bootstrap, topic, new RegExp(`^${topic}$`))
  const a = await group.join('a')
  await untilOwned([a], all(topic, 6))
  const atFirst = a.session.owned

  const b = await group.join('b')
  await untilOwned([a, b], all(topic, 6), 3)
  const c = await group.join('c')
  await untilOwned([a, b, c], all(topic, 6), 2)
  await b.session.leave()
  await untilOwned([a, c], all(topic, 6), 3)
  const d = await group.join('d')
  await untilOwned([a, c, d], all(topic, 6), 2)
  await Promise.all([c.session.leave(), d.session.leave()])
  await untilOwned([a], all(topic, 6))

  group.assertSound()
  const unbroken = atFirst.filter(({ ended }) => !ended.aborted)
  assert.equal(unbroken.length, 2, a.heard.join())
  for (const kept of unbroken) assert.ok(a.session.owned.includes(kept))
  // No more was given up than had to be: 3 for b, 1 for c, 1 for d.
  assert.equal(a.heard.filter(text => text.startsWith('revoked')).length, 5, a.heard.join())
  for (const member of [a, b, c, d]) assert.ok(!member.heard.some(text => text.startsWith('lost')), member.heard.join())
})

test('a revocation is waited for, however long it takes: heartbeats go on, commits are taken, nobody takes over', async t => {
  await using world = await openWorld(t)
  const topic = await topicOf(world, 2)
  await using group = new GroupOfMembers(world.bootstrap, topic, new RegExp(`^${topic}$`))
  const sessionTimeoutMs = 2_000
  const giving = Promise.withResolvers<Ownership>()
  const givenUp = Promise.withResolvers<void>()
  const revoked = async ([partition]: readonly Ownership[]) => {
    if (partition !== undefined) giving.resolve(partition)
    await givenUp.promise
  }
  const a = await group.join('a', { sessionTimeoutMs, listener: { revoked } })
  await untilOwned([a], all(topic, 2))
  const b = await group.join('b')
  const moving = await giving.promise
  await sleep(2 * sessionTimeoutMs) // work that outlasts a session
  assert.equal(await commit(a, moving, 42), 'committed')
  assert.equal(moving.ended.aborted, false)
  assert.deepEqual(b.owned(), [])
  assert.deepEqual(
    a.heard.filter(text => !text.startsWith('assigned')),
    [],
  )
  givenUp.resolve()
  await untilOwned([a, b], all(topic, 2), 1)
  group.assertSound()
  assert.ok(moving.ended.aborted)
  assert.equal(await commit(a, moving, 43), 'fenced')
  const committed = await world.referee.groupOffsets(topic)
  assert.deepEqual(
    committed.map(({ offset }) => offset),
    ['42'],
  )
})

test('a static member that is restarted has its partitions again, and nobody else has lost one meanwhile', async t => {
  await using world = await openWorld(t)
  const topic = await topicOf(world, 6)
  await using group = new GroupOfMembers(world.bootstrap, topic, new RegExp(`^${topic}$`))
  const members = new Map<string, TestMember>()
  for (const name of ['a', 'b', 'c']) members.set(name, await group.join(name, { instanceId: name }))
  await untilOwned([...members.values()], all(topic, 6), 2)
  for (const name of ['a', 'b', 'c']) {
    const before = members.get(name)!
    const partitions = before.owned()
    const others = [...members].filter(([other]) => other !== name).map(([, member]) => member)
    const heard = others.map(other => [...other.heard])
    await before[Symbol.asyncDispose]()
    const restarted = await group.join(name, { instanceId: name })
    members.set(name, restarted)
    await untilOwned([...members.values()], all(topic, 6), 2)
    assert.deepEqual(restarted.owned(), partitions)
    assert.deepEqual(
      others.map(other => other.heard),
      heard,
    )
  }
  group.assertSound()
})

test('a member whose name another process takes is fenced: it loses all, and ends after one session time-out', async t => {
  await using world = await openWorld(t)
  const topic = await topicOf(world, 2)
  await using group = new GroupOfMembers(world.bootstrap, topic, new RegExp(`^${topic}$`))
  const sessionTimeoutMs = 2_000
  const first = await group.join('first', { instanceId: 'w', sessionTimeoutMs })
  const [ownership] = first.session.owned
  assert.ok(ownership !== undefined)
  const lostAt = new Promise<number>(resolve =>
    ownership.ended.addEventListener('abort', () => resolve(performance.now())),
  )
  const second = await group.join('second', { instanceId: 'w' })
  assert.equal(await commit(first, ownership, 7), 'fenced')
  await assert.rejects(first.session.ended, (error: unknown) => {
    assert.ok(isMaxbrodError(error, 'GROUP_FENCED'), String(error))
    assert.match(error.message, new RegExp(`another process joined group ${topic} as w`))
    return true
  })
  assert.ok(performance.now() - (await lostAt) >= sessionTimeoutMs * 0.9, 'it ended at once')
  assert.deepEqual(first.owned(), [])
  assert.deepEqual(first.heard.slice(-2).toSorted(), [`lost ${topic}-0`, `lost ${topic}-1`])
  assert.equal(await commit(second, second.ownership(`${topic}-0`), 8), 'committed')
})

/** Time that can stand still, as for a process that is stopped. */
function stoppableClock(): { clock: Clock; stop: () => void; go: () => void } {
  let going = Promise.resolve()
  let go: () => void = () => undefined
  return {
    clock: { ...systemClock, sleep: (ms, signal) => systemClock.sleep(ms, signal).then(() => going) },
    stop: () => void (going = new Promise(resolve => (go = resolve))),
    go: () => go(),
  }
}

test('a member that was away for longer than its session cannot commit over those who took over', async t => {
  await using world = await openWorld(t)
  const topic = await topicOf(world, 2)
  await using group = new GroupOfMembers(world.bootstrap, topic, new RegExp(`^${topic}$`))
  const { clock, stop, go } = stoppableClock()
  const a = await group.join('a', { clock, sessionTimeoutMs: 2_000 })
  await untilOwned([a], all(topic, 2))
  const [stale, other] = a.session.owned
  assert.ok(stale !== undefined && other !== undefined)
  stop()
  const b = await group.join('b')
  await untilOwned([b], all(topic, 2))
  assert.equal(await commit(b, b.ownership(`${topic}-${stale.partition}`), 100), 'committed')
  assert.equal(stale.ended.aborted, false) // it does not know yet
  const late = commit(a, stale, 50)
  go()
  assert.equal(await late, 'fenced')
  assert.ok(stale.ended.aborted && other.ended.aborted)
  assert.deepEqual(a.heard.filter(text => text.startsWith('lost')).toSorted(), [`lost ${topic}-0`, `lost ${topic}-1`])
  await untilOwned([a, b], all(topic, 2), 1)
  const committed = await world.referee.groupOffsets(topic)
  assert.deepEqual(
    committed.map(({ offset }) => offset),
    ['100'],
  )
})

test('new topics, new partitions and a new selection are found, also behind a leader that was restarted', async t => {
  await using world = await openWorld(t)
  const word = world.name('t')
  const { referee } = world
  await referee.createTopic(`${word}-a`, { partitions: 2 })
  await using group = new GroupOfMembers(world.bootstrap, word, new RegExp(`^${word}-[ab]$`))
  const join = (name: string, topics?: RegExp) =>
    group.join(name, { instanceId: name, ...(topics === undefined ? {} : { topics }) })
  let [x, y] = [await join('x'), await join('y')]
  await untilOwned([x, y], all(`${word}-a`, 2), 1)

  // The static leader comes back, gets its old assignment, and is not told that it leads.
  await x[Symbol.asyncDispose]()
  x = await join('x')
  await referee.createTopic(`${word}-b`, { partitions: 2 })
  await untilOwned([x, y], [...all(`${word}-a`, 2), ...all(`${word}-b`, 2)], 2)
  await referee.addPartitions(`${word}-a`, 4)
  await untilOwned([x, y], [...all(`${word}-a`, 4), ...all(`${word}-b`, 2)], 3)

  // Another selection, one member after the other, as an orchestrator does it.
  await referee.createTopic(`${word}-c`, { partitions: 2 })
  await x[Symbol.asyncDispose]()
  x = await join('x', new RegExp(`^${word}-[bc]$`))
  const inVain = () => [x, y].flatMap(({ session }) => session.otherSelection ?? [])
  await eventually('who does not lead knows that its topics are not shared out', () => inVain().length === 1)
  const leadsX = x.session.otherSelection === undefined
  const [{ leader, topics, count }] = inVain() as [OtherSelection]
  assert.deepEqual([topics, count], [[leadsX ? `${word}-a` : `${word}-c`], 1])
  assert.match(leader, leadsX ? /^x-/ : /^y-/)
  await y[Symbol.asyncDispose]()
  y = await join('y', new RegExp(`^${word}-[bc]$`))
  await untilOwned([x, y], [...all(`${word}-b`, 2), ...all(`${word}-c`, 2)], 2)
  assert.deepEqual(inVain(), [])
  group.assertSound()
})

test('a dynamic member that leaves is replaced at once, not after its session', async t => {
  await using world = await openWorld(t)
  const topic = await topicOf(world, 2)
  await using group = new GroupOfMembers(world.bootstrap, topic, new RegExp(`^${topic}$`))
  const sessionTimeoutMs = 120_000 // more than this test waits for anything
  const [a, b] = [await group.join('a', { sessionTimeoutMs }), await group.join('b', { sessionTimeoutMs })]
  await untilOwned([a, b], all(topic, 2), 1)
  await b.session.leave()
  assert.deepEqual(b.owned(), [])
  await untilOwned([a], all(topic, 2))
  group.assertSound()
})

test('a broker that is killed and comes back costs no member anything', { skip: skipWithForeignKafka }, async () => {
  await using kafka = await Kafka.start()
  await using referee = Referee.start(kafka.bootstrap)
  await referee.createTopic('t', { partitions: 4 })
  await using group = new GroupOfMembers(kafka.bootstrap, 'g', /^t$/)
  // Sessions that outlast the restart.
  const sessionTimeoutMs = 30_000
  const members = [await group.join('a', { sessionTimeoutMs }), await group.join('b', { sessionTimeoutMs })]
  await untilOwned(members, all('t', 4), 2)
  const owned = members.flatMap(({ session }) => session.owned)
  const [a] = members
  const [ownership] = a!.session.owned
  await kafka.brokers[0]!.kill9()
  const early = commit(a!, ownership!, 5)
  await kafka.brokers[0]!.restart()
  assert.equal(await early, 'committed')
  const provenBefore = members.map(({ session }) => session.provenAtMs)
  await eventually('all have a heartbeat answered again', () =>
    members.every(({ session }, n) => session.provenAtMs > provenBefore[n]!),
  )
  await untilOwned(members, all('t', 4), 2)
  assert.deepEqual(
    owned.map(({ ended }) => ended.aborted),
    [false, false, false, false],
  )
  group.assertSound()
})
