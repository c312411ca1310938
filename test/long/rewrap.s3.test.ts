import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openS3Store } from '../../src/storage/s3.ts'
import { newAgeKey } from '../helpers/age-keys.ts'
import { runCommand } from '../helpers/in-process.ts'
import { all } from '../helpers/object-bodies.ts'
import type { DigestRecord } from '../helpers/records.ts'
import { restorable } from '../helpers/restorable.ts'
import { openedWith, putFor } from '../helpers/rewrapping.ts'
import { ok } from '../helpers/restore-scene.ts'
import { openBucket } from '../helpers/shared-s3.ts'

const place = { topic: 'users', partition: 0 }

test('on S3 a large file goes from the store into it, and the commands read it with the new key alone', async t => {
  await using bucket = await openBucket()
  const folder = await mkdtemp(join(tmpdir(), 'maxbrod-rewrap-s3-'))
  t.after(() => rm(folder, { recursive: true }))
  const [old, present] = [newAgeKey(), newAgeKey()]
  const [withOld, withNew] = [old, present].map((_, n) => `--identity=${join(folder, `${n}.key`)}`)
  for (const [n, { identityText }] of [old, present].entries()) await writeFile(join(folder, `${n}.key`), identityText)
  const store = openS3Store({ ...bucket.options, prefix: 'shop' })
  const records = Array.from({ length: 18 }, (_, n): DigestRecord => ({
    offset: BigInt(n),
    timestamp: 5n,
    key: null,
    value: n < 17 ? randomBytes(1_000_000) : Buffer.from('last'),
    headers: [],
  }))
  await putFor(store, [old], place, [0, 17], records.slice(0, 17))
  await putFor(store, [old], place, [17, 20], records.slice(17))
  const run = async (...argv: string[]) => {
    const result = await runCommand([...argv, `--storage=${bucket.url('shop')}`, `--s3-endpoint=${bucket.endpoint}`])
    ok(result)
    return result
  }
  await run('rewrap', withOld!, withNew!, `--encrypt-to=${present.recipientText}`)
  assert.equal((await run('prune', '--superseded', '--yes')).json['deleted'], 1)
  assert.deepEqual(await restorable(openedWith(store, present), place), records)
  assert.equal((await run('verify', withNew!)).json['verified'], 2)
  const keys = (await all(store.list('@rewrapped/'))).map(({ key }) => key).filter(key => key.endsWith('.age'))
  assert.equal(keys.length, 2)
  const inspected = await run('inspect', keys[1]!, withNew!)
  assert.equal(inspected.json['isProven'], true)
  assert.equal((await run('describe', 'users/0', withNew!)).exit, 0)
  store.close()
})
