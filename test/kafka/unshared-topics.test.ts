import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JoinedGroup } from '../../src/kafka/group/coordinator.ts'
import { MatchedTopics } from '../../src/kafka/group/matched-topics.ts'
import { decodeAssignment, encodeSubscription } from '../../src/kafka/group/member-data.ts'
import type { Assignment } from '../../src/kafka/group/member-data.ts'
import { Membership } from '../../src/kafka/group/membership.ts'
import { joinAndSync } from '../../src/kafka/group/round.ts'
import type { SelectedPartitions } from '../../src/kafka/group/selected-partitions.ts'
import { WireWriter } from '../../src/kafka/protocol/wire.ts'
import { ManualClock } from '../helpers/manual-clock.ts'

const selected = (hash: string, topics: readonly string[]): SelectedPartitions => ({
  hash,
  topics,
  partitions: topics.map(topic => ({ topic, partition: 0 })),
})

/** What the leader gives to members that match these topics. */
async function ledBy(leader: SelectedPartitions, matched: Readonly<Record<string, readonly string[]>>) {
  const given = new Map<string, Assignment>()
  const members = Object.entries({ leader: leader.topics, ...matched }).map(([memberId, topics]) => ({
    memberId,
    memberMetadata: encodeSubscription({ selectionHash: memberId, topics, owned: [], generation: -1, nonce: 0 }),
  }))
  const joined: JoinedGroup = { generation: 1, memberId: 'leader', leaderId: 'leader', members }
  const coordinator = {
    join: async () => joined,
    async sync(_: JoinedGroup, all: readonly { memberId: string; memberAssignment: Buffer }[]) {
      for (const { memberId, memberAssignment } of all) given.set(memberId, decodeAssignment(memberAssignment))
      return all.find(({ memberId }) => memberId === 'leader')!.memberAssignment
    },
  }
  const member = new Membership({ lost: () => undefined }, () => undefined)
  const round = await joinAndSync({ coordinator, member, clock: new ManualClock() }, leader, 0)
  assert.deepEqual([round.leaderId, round.assignment], ['leader', given.get('leader')])
  return given
}

test('a leader tells each member which of its topics nobody is given, by name as far as there is room', async () => {
  const many = Array.from({ length: 30 }, (_, n) => `t${n}`)
  const given = await ledBy(selected('l', ['orders', 'users']), {
    same: ['orders', 'users'],
    other: ['users', 'x'],
    many,
  })
  const unshared = (member: string) => given.get(member)!.unshared
  assert.deepEqual(unshared('leader'), { topics: [], count: 0 })
  assert.deepEqual(unshared('same'), { topics: [], count: 0 })
  assert.deepEqual(unshared('other'), { topics: ['x'], count: 1 })
  assert.deepEqual(unshared('many'), { topics: many.slice(0, 20), count: 30 })
})

test('a leader of an older version tells a member only that it selects other topics', () => {
  const userData = new WireWriter().string('hash').bytes
  const bytes = new WireWriter()
    .int16(0)
    .array([], () => undefined)
    .int32(userData.length)
    .raw(userData).bytes
  assert.deepEqual(decodeAssignment(bytes), {
    selectionHash: 'hash',
    partitions: [],
    unshared: { topics: [], count: 0 },
  })
  assert.deepEqual(decodeAssignment(Buffer.alloc(0)).unshared, { topics: [], count: 0 })
})

test('a member knows since when, by whom and which of its topics are not shared out, until the leader agrees', async () => {
  const clock = new ManualClock()
  const select = async () => selected('ours', ['orders', 'users'])
  const matched = new MatchedTopics({ select, clock, refreshMs: 1_000, onEvent: () => undefined })
  const signal = new AbortController().signal
  await matched.look(signal)
  const theirs = { selectionHash: 'theirs', leaderId: 'a', unshared: { topics: ['users'], count: 1 } }
  assert.equal(await matched.isAgreedWith(theirs, signal), false, 'the leader is asked once more')
  assert.equal(matched.other, undefined)
  const sinceMs = clock.monotonic()
  assert.equal(await matched.isAgreedWith(theirs, signal), true)
  assert.deepEqual(matched.other, { sinceMs, leader: 'a', topics: ['users'], count: 1 })
  clock.advance(5_000)
  const both = { topics: ['orders', 'users'], count: 2 }
  await matched.isAgreedWith({ ...theirs, leaderId: 'b', unshared: both }, signal)
  assert.deepEqual(matched.other, { sinceMs, leader: 'b', ...both })
  await matched.isAgreedWith({ selectionHash: 'ours', leaderId: 'b', unshared: { topics: [], count: 0 } }, signal)
  assert.equal(matched.other, undefined)
})
