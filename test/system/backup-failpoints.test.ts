import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Failpoint } from '../helpers/failpoints.ts'
import { runVolley } from '../helpers/failpoint-volley.ts'
import { openBucket } from '../helpers/shared-s3.ts'
import { openWorld } from '../helpers/world.ts'

/** A few of those that `make torture-matrix` hits. */
const failpoints = [
  { verb: 'store.put', when: 'after', call: 2, effect: 'kill' },
  { verb: 'store.put', when: 'before', call: 2, effect: 'stop' },
  { verb: 'kafka.commit', when: 'after', call: 2, effect: 'kill' },
  { verb: 'disk.append', when: 'after', call: 2, effect: 'kill' },
] as const

test('a worker that dies around its uploads and commits, or outlives its session there: what was acknowledged to producers comes back, each record once, unchanged and in order', async t => {
  await using world = await openWorld(t)
  await using bucket = await openBucket()
  const { bootstrap, referee, folder, dice } = world
  const report = await runVolley(
    { bootstrap, referee, bucket, folder, suffix: world.name('hit'), dice },
    failpoints.map((failpoint): Failpoint => ({ ...failpoint, isFresh: false, isOnce: false })),
  )
  const failures = report.hits.map(({ failure }) => failure)
  assert.deepEqual(
    failures,
    failpoints.map(() => undefined),
  )
  assert.equal(report.failure, undefined)
  assert.deepEqual(report.verdict, { lost: 0, doubled: 0, reordered: 0, altered: 0, phantom: 0, silent: 0 })
  assert.ok(report.records > 0)
})
