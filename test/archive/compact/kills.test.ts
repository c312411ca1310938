import assert from 'node:assert/strict'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { openDirectoryStore } from '../../../src/storage/directory.ts'
import { compacting, latestOf, putRecords, updates } from '../../helpers/compacting.ts'
import { FaultyCli } from '../../helpers/faulty-process.ts'
import type { DigestRecord } from '../../helpers/records.ts'
import { restorable } from '../../helpers/restorable.ts'
import { Dice } from '../../helpers/seed.ts'
import { verifying } from '../../helpers/verifying.ts'

const place = { topic: 'users', partition: 0 }
let folder: string
let originals: string[]
let all: DigestRecord[]

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'maxbrod-compact-kills-'))
  const store = openDirectoryStore(join(folder, 'original'))
  all = updates(new Dice('kills'), 400, 90, 0)
  const [first, second, third] = [all.slice(0, 150), all.slice(150, 300), all.slice(300)]
  const begins = [0, Number(second[0]!.offset), Number(third[0]!.offset), Number(all.at(-1)!.offset) + 1]
  originals = []
  for (const [n, records] of [first, second, third].entries())
    originals.push(await putRecords(store, place, begins[n]!, begins[n + 1]!, records))
})

after(() => rm(folder, { recursive: true }))

/** Every moment at which something was done, and nobody knows that yet, or is about to be. */
const faults = (kind: string) => [
  'store.get~users/0/:before:7:kill', //                    the first reading is over
  'disk.append:after:1:kill',
  `store.put~@${kind}:before:1:kill`,
  `store.put~@${kind}:after:1:kill`,
  `store.get~@${kind}:before:1:kill`, //                    reading back
  'store.put~generation.json:before:1:kill',
  'store.put~generation.json:after:1:kill',
]

for (const [kind, flag] of [
  ['compacted', '--topics=users'],
  ['merged', '--merge'],
] as const) {
  for (const fault of faults(kind)) {
    // A merge reads two of three files.
    const own = kind === 'merged' ? fault.replace(':before:7:', ':before:6:') : fault
    test(`${flag}, killed at ${own}: restores are right at every step, and the next run completes it`, async t => {
      const path = join(folder, t.fullName.replaceAll(/\W/g, '-'))
      await cp(join(folder, 'original'), path, { recursive: true })
      const store = openDirectoryStore(path)
      const flags = [flag, `--working-dir=${path}-work`]
      const killed = new FaultyCli(['compact', `--storage=file://${path}`, ...flags], [own])
      assert.equal((await killed.result).exit, 'SIGKILL', killed.output)
      killed.assertAllFired()

      const isSealed = own.includes('generation.json:after')
      const kept = kind === 'compacted' ? latestOf(all) : all
      assert.deepEqual((await verifying(store)).findings, [])
      assert.deepEqual(await restorable(store, place), all, 'the originals')
      assert.deepEqual(await restorable(store, place, '--use-compacted'), isSealed ? kept : all)

      await compacting(store, `${path}-work`, flag)
      const sound = await verifying(store)
      assert.deepEqual([sound.findings, sound.generations], [[], 1], 'one generation, however often it was begun')
      assert.deepEqual(await restorable(store, place), all)
      assert.deepEqual(await restorable(store, place, '--use-compacted'), kept)
      if (kind === 'compacted') return
      for (const key of originals.slice(0, -1)) {
        await store.delete(key)
        assert.deepEqual(await restorable(store, place), all, `without ${key}`)
      }
    })
  }
}
