import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runVolley } from '../helpers/failpoint-volley.ts'
import { openBucket } from '../helpers/shared-s3.ts'
import { openWorld } from '../helpers/world.ts'

test('a third worker that comes and is killed every few seconds takes partitions away in the middle of files, and none of it shows in what comes back', async t => {
  await using world = await openWorld(t)
  await using bucket = await openBucket()
  const { bootstrap, referee, folder, dice } = world
  const revoked = {
    verb: 'kafka.revoked',
    when: 'after',
    call: 2,
    effect: 'note',
    isFresh: false,
    isOnce: false,
  } as const
  const options = { bootstrap, referee, bucket, folder, suffix: world.name('moves'), dice }
  const report = await runVolley(options, [revoked])
  assert.deepEqual(
    report.hits.map(({ failure }) => failure),
    [undefined],
  )
  assert.equal(report.failure, undefined)
  assert.deepEqual(report.verdict, { lost: 0, doubled: 0, reordered: 0, altered: 0, phantom: 0, silent: 0 })
})
