import assert from 'node:assert/strict'
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { openDirectoryStore } from '../../../src/storage/directory.ts'
import { newAgeKey } from '../../helpers/age-keys.ts'
import { updates } from '../../helpers/compacting.ts'
import { FaultyCli } from '../../helpers/faulty-process.ts'
import type { DigestRecord } from '../../helpers/records.ts'
import { restorable } from '../../helpers/restorable.ts'
import { openedWith, putFor, rewrapping } from '../../helpers/rewrapping.ts'
import { Dice } from '../../helpers/seed.ts'
import { assertUntouched, objectsIn } from '../../helpers/stored-backup.ts'
import { verifying } from '../../helpers/verifying.ts'

const place = { topic: 'users', partition: 0 }
const [old, present] = [newAgeKey(), newAgeKey()]
let folder: string
let originals: string[]
let all: DigestRecord[]

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'maxbrod-rewrap-kills-'))
  const store = openDirectoryStore(join(folder, 'original'))
  all = updates(new Dice('kills'), 300, 90, 0)
  originals = []
  for (let n = 0; n < 3; n++) {
    const from = n === 0 ? 0 : Number(all[n * 100]!.offset)
    const to = n === 2 ? Number(all.at(-1)!.offset) + 1 : Number(all[(n + 1) * 100]!.offset)
    originals.push(await putFor(store, [old], place, [from, to], all.slice(n * 100, (n + 1) * 100)))
  }
  await writeFile(join(folder, 'old.key'), old.identityText)
  await writeFile(join(folder, 'new.key'), present.identityText)
})

after(() => rm(folder, { recursive: true }))

/** Every moment at which something was done, and nobody knows that yet, or is about to be. */
const faults = [
  'store.get~users/0/:before:8:kill', //                for whom they are was read, and a part of them
  'store.put~@rewrapped:before:1:kill',
  'store.put~@rewrapped:after:2:kill',
  'store.get~@rewrapped:before:1:kill', //              reading back
  'store.put~generation.json:before:1:kill',
  'store.put~generation.json:after:1:kill',
]

for (const fault of faults) {
  test(`killed at ${fault}: restores are right at every step, and the next run completes it`, async t => {
    const path = join(folder, t.fullName.replaceAll(/\W/g, '-'))
    await cp(join(folder, 'original'), path, { recursive: true })
    const store = openDirectoryStore(path)
    const untouched = await objectsIn(store)
    const identities = ['old.key', 'new.key'].map(name => `--identity=${join(folder, name)}`)
    const argv = ['rewrap', `--storage=file://${path}`, ...identities, `--encrypt-to=${present.recipientText}`]
    const killed = new FaultyCli(argv, [fault])
    assert.equal((await killed.result).exit, 'SIGKILL', killed.output)
    killed.assertAllFired()

    await assertUntouched(store, untouched)
    const both = openedWith(store, old, present)
    assert.deepEqual((await verifying(both)).findings, [])
    assert.deepEqual(await restorable(openedWith(store, old), place), all, 'by the key that opened it before')
    const isSealed = fault.includes('generation.json:after')
    if (isSealed) assert.deepEqual(await restorable(openedWith(store, present), place), all)

    const { made, upToDate } = await rewrapping(store, { with: [old, present], to: [present] })
    assert.deepEqual([made.length, upToDate], isSealed ? [0, 1] : [1, 0], 'what is finished is not made again')
    await assertUntouched(store, untouched)
    const sound = await verifying(openedWith(store, present))
    assert.deepEqual([sound.findings, sound.generations], [[], 1], 'one generation, however often it was begun')
    for (const key of originals.slice(0, -1)) {
      await store.delete(key)
      assert.deepEqual(await restorable(openedWith(store, present), place), all, `without ${key}`)
    }
  })
}
