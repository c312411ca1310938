import assert from 'node:assert/strict'
import { test } from 'node:test'
import { backupUnderFire } from '../helpers/backup-under-fire.ts'
import { testSeed } from '../helpers/seed.ts'
import { openBucket } from '../helpers/shared-s3.ts'
import { openWorld } from '../helpers/world.ts'

test('workers killed ten times, twice with their disks, while producers go on: the files tile, nobody is alarmed, and a restore has every record once', async t => {
  await using world = await openWorld(t)
  await using bucket = await openBucket()
  const { kills } = await backupUnderFire({
    name: t.name,
    seed: testSeed,
    bootstrap: world.bootstrap,
    referee: world.referee,
    folder: world.folder,
    bucket,
    suffix: world.name('fire'),
    records: 20_000,
    workers: 2,
    kills: 10,
    wipes: 2,
    maxRate: '100KiB',
    say: line => t.diagnostic(line),
  })
  assert.equal(kills.length, 10)
  assert.equal(kills.filter(kill => kill.includes('with its disk')).length, 2)
  assert.ok(kills.some(kill => kill.startsWith('between PUT and commit')))
})
