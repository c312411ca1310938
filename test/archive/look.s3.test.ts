import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openS3Store } from '../../src/storage/s3.ts'
import { placeOf, putAged, putPoint } from '../helpers/aged-archive.ts'
import { runCommand } from '../helpers/in-process.ts'
import { S3Faults, s3ErrorAnswer } from '../helpers/s3-faults.ts'
import { openBucket } from '../helpers/shared-s3.ts'
import { storeOf } from '../helpers/sound-archive.ts'

const key = 'orders/1/orders-1-0000000000000000010.avro'

/** What each command says of a backup, without what is different in each run. */
async function say(flags: readonly string[]): Promise<Record<string, unknown>> {
  const said: Record<string, unknown> = {}
  for (const argv of [
    ['ls'],
    ['ls', '--points'],
    ['describe', 'orders'],
    ['describe', 'orders/1'],
    ['inspect', key],
    ['coverage'],
    ['verify'],
  ]) {
    const { exit, json, stderr } = await runCommand([...argv, ...flags])
    assert.equal(exit, 0, `${argv.join(' ')}: ${stderr}`)
    said[argv.join(' ')] = { ...json, storage: undefined }
  }
  return said
}

test('the commands that look at a backup say the same of a bucket that fails at every third request', async () => {
  await using bucket = await openBucket()
  await using faults = await S3Faults.start(bucket.endpoint)
  const store = await storeOf([], openS3Store({ ...bucket.options, prefix: 'shop' }))
  for (const partition of [0, 1]) await putAged(store, placeOf('orders', partition), [20, 1])
  await putAged(store, placeOf('users'), [3])
  await putPoint(store, 0.1, [['orders', 0, 0, 40]])
  store.close()
  const flags = (endpoint: string) => [
    `--storage=${bucket.url('shop')}`,
    `--s3-endpoint=${endpoint}`,
    '--s3-region=us-east-1',
  ]
  const calm = await say(flags(bucket.endpoint))
  const fates = [
    s3ErrorAnswer(503, 'SlowDown'),
    { kind: 'cut answer', atByte: 40 },
    s3ErrorAnswer(500, 'InternalError'),
    { kind: 'lost answer' },
    { kind: 'cut answer', atByte: 0 },
  ] as const
  let requests = 0
  let fired = 0
  faults.rule(() => (++requests % 3 === 0 ? fates[fired++ % fates.length] : undefined))
  assert.deepEqual(await say(flags(faults.endpoint)), calm)
  assert.ok(fired >= 2 * fates.length, `${fired} faults`)
})
