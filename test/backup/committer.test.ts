import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Committer } from '../../src/backup/resume/committer.ts'
import type { GroupSession, OwnedOffset, Ownership } from '../../src/kafka/port/membership.ts'
import { MaxbrodError } from '../../src/runtime/errors.ts'
import { PartitionMap } from '../../src/runtime/topic-partition.ts'
import { ManualClock } from '../helpers/manual-clock.ts'

const settle = () => new Promise(resolve => setImmediate(resolve))
const ownerships = [0, 1, 2].map((partition): Ownership => ({
  topic: 'orders',
  partition,
  ended: new AbortController().signal,
}))

function offset(partition: number, at: number): OwnedOffset {
  return { ownership: ownerships[partition]!, offset: at, leaderEpoch: -1, metadata: '' }
}

type Answer = Awaited<ReturnType<GroupSession['commit']>>

/** A committer over a session whose answers the test gives. */
function openCommitter() {
  const requests: { readonly asked: string; readonly answer: PromiseWithResolvers<Answer> }[] = []
  const commit: GroupSession['commit'] = offsets => {
    const answer = Promise.withResolvers<Answer>()
    requests.push({ asked: offsets.map(one => `${one.ownership.partition}@${one.offset}`).join(), answer })
    return answer.promise
  }
  const clock = new ManualClock()
  const session = Promise.withResolvers<GroupSession>()
  session.resolve({ commit } as GroupSession)
  const committer = new Committer(session.promise, clock)
  const asked = async () => {
    await settle()
    return requests.map(one => one.asked)
  }
  const answer = (n: number, outcomes: Record<number, 'committed' | 'fenced'>) =>
    requests[n]!.answer.resolve(
      new PartitionMap(Object.entries(outcomes).map(([p, outcome]) => [ownerships[Number(p)]!, outcome] as const)),
    )
  return { committer, clock, requests, asked, answer }
}

test('commits of the same moment go out in one request, and each gets its own answer', async () => {
  const { committer, asked, answer } = openCommitter()
  const commits = [committer.commit(offset(0, 5)), committer.commit(offset(1, 7)), committer.commit(offset(2, 9))]
  assert.deepEqual(await asked(), ['0@5,1@7,2@9'])
  answer(0, { 0: 'committed', 1: 'fenced' })
  assert.deepEqual(await Promise.all(commits), ['committed', 'fenced', 'fenced'])
})

test('while a request is under way the next ones gather, and one partition is never in two requests', async () => {
  const { committer, asked, answer } = openCommitter()
  const first = committer.commit(offset(0, 5))
  assert.deepEqual(await asked(), ['0@5'])
  const second = committer.commit(offset(0, 6))
  const other = committer.commit(offset(1, 7))
  assert.deepEqual(await asked(), ['0@5'])
  answer(0, { 0: 'committed' })
  assert.deepEqual(await asked(), ['0@5', '0@6,1@7'])
  answer(1, { 0: 'committed', 1: 'committed' })
  assert.deepEqual(await Promise.all([first, second, other]), ['committed', 'committed', 'committed'])
})

test('a request that hangs holds up its own partitions only, and their order is kept', async () => {
  const { committer, clock, asked, answer } = openCommitter()
  const hanging = committer.commit(offset(0, 5))
  await settle()
  const behind = committer.commit(offset(0, 6))
  const other = committer.commit(offset(1, 7))
  assert.deepEqual(await asked(), ['0@5'])
  clock.advance(1_000)
  assert.deepEqual(await asked(), ['0@5', '1@7'])
  answer(1, { 1: 'committed' })
  assert.equal(await other, 'committed')
  clock.advance(10_000)
  assert.deepEqual(await asked(), ['0@5', '1@7'], 'the first commit of partition 0 may still arrive')
  answer(0, { 0: 'committed' })
  assert.equal(await hanging, 'committed')
  assert.deepEqual(await asked(), ['0@5', '1@7', '0@6'])
  answer(2, { 0: 'committed' })
  assert.equal(await behind, 'committed')
})

test('what is refused for one partition fails that one alone', async () => {
  const { committer, requests, asked, answer } = openCommitter()
  const commits = [0, 1, 2].map(partition => committer.commit(offset(partition, 5)))
  const refused = assert.rejects(commits[1]!, { code: 'KAFKA_AUTH' })
  await asked()
  const denied = new MaxbrodError('KAFKA_AUTH', 'no')
  requests[0]!.answer.reject(denied)
  assert.deepEqual(await asked(), ['0@5,1@5,2@5', '0@5', '1@5', '2@5'])
  answer(1, { 0: 'committed' })
  requests[2]!.answer.reject(denied)
  answer(3, { 2: 'committed' })
  await refused
  assert.deepEqual([await commits[0], await commits[2]], ['committed', 'committed'])
  const next = committer.commit(offset(1, 6))
  await asked()
  answer(4, { 1: 'committed' })
  assert.equal(await next, 'committed', 'the partition is free again')
})

test('commits wait for a worker that has not joined yet, and fail with it', async () => {
  const session = Promise.withResolvers<GroupSession>()
  const committer = new Committer(session.promise, new ManualClock())
  const commits = [committer.commit(offset(0, 5)), committer.commit(offset(1, 5))]
  const failed = Promise.all(commits.map(one => assert.rejects(one, { message: 'not joined' })))
  await settle()
  session.reject(new Error('not joined'))
  await failed
})

test('thousands of commits at once go out in requests that the coordinator can write, all of them', async () => {
  const requests: number[] = []
  const commit: GroupSession['commit'] = offsets => {
    requests.push(offsets.length)
    return Promise.resolve(new PartitionMap(offsets.map(one => [one.ownership, 'committed'] as const)))
  }
  const committer = new Committer(Promise.resolve({ commit } as GroupSession), new ManualClock())
  const { ended } = ownerships[0]!
  const commits = Array.from({ length: 1_200 }, (_, partition) =>
    committer.commit({ ownership: { topic: 'orders', partition, ended }, offset: 1, leaderEpoch: -1, metadata: '' }),
  )
  const outcomes = await Promise.all(commits)
  assert.deepEqual([outcomes.length, new Set(outcomes)], [1_200, new Set(['committed'])])
  assert.deepEqual(requests, [500, 500, 200])
})
