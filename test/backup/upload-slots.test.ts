import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newUploadSlots } from '../../src/backup/chain/upload-slots.ts'

const MIB = 1024 * 1024

for (const [what, bytes, expected] of [
  ['16 files of a megabyte', MIB, 16],
  ['12 files of 5 MiB', 5 * MIB, 12],
  ['4 files of 16 MiB', 16 * MIB, 4],
  ['4 files of a gigabyte, which are not held in memory', 1024 * MIB, 4],
] as const) {
  test(`at most ${what} are uploaded at the same time, and all of them in the end`, async () => {
    const slots = newUploadSlots()
    const uploads: PromiseWithResolvers<void>[] = []
    const all = Array.from({ length: 40 }, () =>
      slots(bytes, () => {
        const upload = Promise.withResolvers<void>()
        uploads.push(upload)
        return upload.promise
      }),
    )
    let done = 0
    while (done < 40) {
      await new Promise(resolve => setImmediate(resolve))
      assert.equal(uploads.length - done, Math.min(expected, 40 - done))
      uploads[done++]!.resolve()
    }
    await Promise.all(all)
  })
}

test('a failed upload makes room for the next one', async () => {
  const slots = newUploadSlots()
  for (let n = 0; n < 50; n++) await assert.rejects(slots(64 * MIB, () => Promise.reject(new Error('lost'))))
  assert.equal(await slots(64 * MIB, () => Promise.resolve('up')), 'up')
})
