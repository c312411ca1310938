import assert from 'node:assert/strict'
import { test } from 'node:test'
import { check } from '../../src/check/check.ts'
import type { CheckDeps } from '../../src/check/deps.ts'
import { checkOptions } from '../../src/check/options.ts'
import { MaxbrodError } from '../../src/runtime/errors.ts'
import { newMemoryStore } from '../../src/storage/memory.ts'
import { ManualClock } from '../helpers/manual-clock.ts'
import { optionsOf } from '../helpers/options.ts'

const never = new AbortController().signal

/** A check of a store, and whether its request was told that nobody waits any more. */
function checking(answers: (until: AbortSignal) => Promise<never>) {
  const clock = new ManualClock()
  const asked: AbortSignal[] = []
  const kafka = { admin: { clusterId: () => Promise.reject(new MaxbrodError('KAFKA_GAVE_UP', 'no brokers')) } }
  const lookAtStorage = (until: AbortSignal) => {
    asked.push(until)
    return answers(until)
  }
  const deps = { clock, kafka, store: newMemoryStore(), lookAtStorage } as unknown as CheckDeps
  return { clock, asked, findings: check(optionsOf(checkOptions, '--for=plan'), deps, never) }
}

test('what a store is still asked ends when check does not wait for it any more', async () => {
  const { clock, asked, findings } = checking(() => new Promise(() => undefined))
  await Promise.resolve()
  clock.advance(8_000)
  const says = (await findings).map(({ check: what, says: it }) => `${what}: ${it}`)
  assert.deepEqual(says, ['brokers: no brokers', 'storage: no answer within 8 s'])
  assert.deepEqual(
    asked.map(({ aborted }) => aborted),
    [true],
  )
})

test('what goes on beside a request that failed ends with it', async () => {
  const { asked, findings } = checking(() => Promise.reject(new MaxbrodError('STORAGE_AUTH', 'refused')))
  assert.match((await findings).at(-1)?.says ?? '', /refused/)
  assert.equal(asked[0]?.aborted, true)
})
