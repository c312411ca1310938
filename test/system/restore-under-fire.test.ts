import assert from 'node:assert/strict'
import { test } from 'node:test'
import { restoreUnderFire } from '../helpers/restore-under-fire.ts'
import { testSeed } from '../helpers/seed.ts'
import { skipWithForeignKafka } from '../helpers/shared-kafka.ts'

test(
  'executors killed and paused, and a broker killed: one copy of each old record, in order, or a stop aloud',
  { skip: skipWithForeignKafka },
  async t => {
    t.diagnostic(`TEST_SEED=${testSeed}`)
    const report = await restoreUnderFire({
      name: t.name,
      seed: testSeed,
      brokers: 1,
      records: 100_000,
      executors: 3,
      kills: 10,
      pauses: 2,
      brokerKills: 1,
      maxRate: '100KiB',
      say: line => t.diagnostic(line),
    })
    assert.equal(report.faults.length, report.outcome === 'exactly once' ? 13 : report.faults.length)
  },
)
