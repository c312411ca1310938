import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isWorthAnotherTry } from '../../src/kafka/group/patience.ts'
import { KafkaError } from '../../src/kafka/kafka-errors.ts'
import { sendHeartbeats } from '../../src/kafka/group/heartbeats.ts'
import { Membership } from '../../src/kafka/group/membership.ts'
import { Vitals } from '../../src/observe/vitals.ts'
import { MaxbrodError } from '../../src/runtime/errors.ts'
import { ManualClock } from '../helpers/manual-clock.ts'

const joinDeadlineMs = 60_000
const lost = new KafkaError('NETWORK_EXCEPTION', 'JoinGroup')
const isTried = (error: unknown, isMember: boolean, sinceMs: number) =>
  isWorthAnotherTry(error, { isMember, sinceMs, joinDeadlineMs })

test('a member waits ten minutes for a group that does not answer; one that was never in waits until its deadline', () => {
  assert.equal(isTried(lost, true, 10 * 60_000), true)
  assert.equal(isTried(lost, true, 10 * 60_000 + 1), false)
  assert.equal(isTried(lost, false, joinDeadlineMs), true)
  assert.equal(isTried(lost, false, joinDeadlineMs + 1), false)
})

test('what time does not heal is not waited for, a group that is full is', () => {
  assert.equal(isTried(new KafkaError('GROUP_AUTHORIZATION_FAILED', 'JoinGroup'), true, 0), false)
  assert.equal(isTried(new KafkaError('INVALID_SESSION_TIMEOUT', 'JoinGroup'), false, 0), false)
  assert.equal(isTried(new KafkaError('GROUP_MAX_SIZE_REACHED', 'JoinGroup'), false, 0), true)
})

test('a cluster that is gone is waited for by members only: who begins has somebody to tell', () => {
  for (const code of ['KAFKA_GAVE_UP', 'KAFKA_UNREACHABLE'] as const) {
    assert.equal(isTried(new MaxbrodError(code, 'no answer'), true, 0), true)
    assert.equal(isTried(new MaxbrodError(code, 'no answer'), false, 0), false)
  }
  assert.equal(isTried(new MaxbrodError('KAFKA_AUTH', 'no rights'), true, 0), false)
  assert.equal(isTried(new Error('a bug'), true, 0), false)
})

test('a heartbeat that never ends, not even by a time-out, is a stuck process', async () => {
  const clock = new ManualClock()
  const vitals = new Vitals(clock)
  vitals.allow(60_000)
  const member = new Membership({ lost: () => undefined }, () => undefined)
  member.entered(1, clock.monotonic())
  const closing = new AbortController()
  let heartbeats = 0
  const coordinator = {
    heartbeat() {
      heartbeats++
      if (heartbeats === 1) return Promise.reject(lost)
      return new Promise<never>(() => undefined)
    },
  }
  const deps = { coordinator, member, clock, vitals, groupId: 'shop', sessionTimeoutMs: 9_000 }
  void sendHeartbeats({ ...deps, doubt: () => undefined, onEvent: () => undefined }, closing.signal)
  for (let n = 0; n < 2; n++) {
    clock.advance(3_000)
    await new Promise(setImmediate)
  }
  assert.equal(heartbeats, 2)
  clock.advance(60_000)
  assert.equal(vitals.alive.isGood, true)
  clock.advance(1_000)
  assert.deepEqual(vitals.alive, { isGood: false, says: 'stuck for 1m01s: a heartbeat to group shop' })
  closing.abort()
})
