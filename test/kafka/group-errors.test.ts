import assert from 'node:assert/strict'
import { test } from 'node:test'
import { doubtOf, keepsMemberId, recoveryFrom } from '../../src/kafka/group/group-errors.ts'
import type { KafkaErrorName } from '../../src/kafka/kafka-errors.ts'

test('only what the group has against a member ends its generation: temporary trouble tells nothing', () => {
  const doubts = {
    REBALANCE_IN_PROGRESS: 'the group rebalances',
    FENCED_INSTANCE_ID: 'fenced',
    UNKNOWN_MEMBER_ID: 'forgotten',
    ILLEGAL_GENERATION: 'forgotten',
    GROUP_AUTHORIZATION_FAILED: 'forgotten',
    NETWORK_EXCEPTION: undefined,
    REQUEST_TIMED_OUT: undefined,
    NOT_COORDINATOR: undefined,
    COORDINATOR_LOAD_IN_PROGRESS: undefined,
    UNKNOWN_SERVER_ERROR: undefined,
  } satisfies Partial<Record<KafkaErrorName, ReturnType<typeof doubtOf>>>
  for (const [error, doubt] of Object.entries(doubts)) assert.equal(doubtOf(error as KafkaErrorName), doubt, error)
})

test('a member that the group forgot joins anew; one whose name was taken, or among consumers of another kind, ends', () => {
  const recoveries = {
    REBALANCE_IN_PROGRESS: 'join again',
    UNKNOWN_MEMBER_ID: 'join anew',
    ILLEGAL_GENERATION: 'join anew',
    FENCED_INSTANCE_ID: 'end fenced',
    INCONSISTENT_GROUP_PROTOCOL: 'end as a stranger',
    NETWORK_EXCEPTION: 'wait',
    GROUP_MAX_SIZE_REACHED: 'wait',
    GROUP_AUTHORIZATION_FAILED: 'wait',
  } satisfies Partial<Record<KafkaErrorName, ReturnType<typeof recoveryFrom>>>
  for (const [error, recovery] of Object.entries(recoveries))
    assert.equal(recoveryFrom(error as KafkaErrorName), recovery, error)
})

test('a member keeps its id when only the generation is another one: the group would wait for it otherwise', () => {
  assert.equal(keepsMemberId('ILLEGAL_GENERATION'), true)
  assert.equal(keepsMemberId('UNKNOWN_MEMBER_ID'), false)
})
