import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { KEY_BYTES_MAX, KeyTable, compareEntries } from '../../../src/archive/compact/key-table.ts'
import { Survivors } from '../../../src/archive/compact/survivors.ts'
import { nodeDisk } from '../../../src/runtime/node-disk.ts'
import { Dice } from '../../helpers/seed.ts'

let folder: string

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'maxbrod-survivors-'))
})

after(() => rm(folder, { recursive: true }))

/** Keys of all lengths around the one from which on their digests count; `null` for none. */
function someKeys(dice: Dice, records: number, keys: number): (Buffer | null)[] {
  const lengths = [0, 1, 3, 4, 5, 31, 32, KEY_BYTES_MAX, KEY_BYTES_MAX + 1, 500]
  return Array.from({ length: records }, () => {
    const n = dice.between(0, keys - 1)
    if (n === 0) return null
    const key = Buffer.alloc(lengths[n % lengths.length]!, 'k')
    key.write(String(n).slice(0, key.length))
    return key
  })
}

async function survivorsOf(survivors: Survivors, keys: readonly (Buffer | null)[], step = 1): Promise<number[]> {
  for (const [n, key] of keys.entries()) {
    const padded = Buffer.concat([Buffer.from('before'), key ?? Buffer.alloc(0), Buffer.from('after')])
    await (key === null ? survivors.addKeyless(n * step) : survivors.add(padded, 6, 6 + key.length, n * step))
  }
  await survivors.finish()
  const found: number[] = []
  for await (const offset of survivors.offsets()) found.push(offset)
  assert.equal(found.length, survivors.count)
  return found
}

function expected(keys: readonly (Buffer | null)[], step = 1): number[] {
  const latest = new Map<string, number>()
  for (const [n, key] of keys.entries()) latest.set(key === null ? `none ${n}` : `key ${key.toString('hex')}`, n * step)
  return [...latest.values()].toSorted((a, b) => a - b)
}

test('the latest record of each key survives, and each without a key, however little memory there is', async () => {
  const dice = new Dice('survivors')
  for (const [bytes, records, keys] of [
    [0, 1_300, 1_000],
    [3_000, 3_000, 400],
    [20_000, 8_000, 4_000],
    [4_000_000, 20_000, 9_000],
  ] as const) {
    const given = someKeys(dice, records, keys)
    const survivors = new Survivors(nodeDisk, folder, bytes)
    assert.deepEqual(await survivorsOf(survivors, given), expected(given), `${bytes} bytes`)
    assert.equal((await readdir(folder)).length > 0, bytes < 4_000_000, 'the disk helps where memory does not do')
    await survivors.clear()
    assert.deepEqual(await readdir(folder), [], 'nothing stays on the disk')
    const others = someKeys(dice, 100, 50)
    assert.deepEqual(await survivorsOf(survivors, others, 2 ** 44), expected(others, 2 ** 44), 'it can be used again')
    await survivors.clear()
  }
})

test('keys are told apart by their bytes, also where their hashes are the same', () => {
  // With 60,000 keys some have the same 32 bits; all of them must be there, in order.
  const table = new KeyTable(16_000_000)
  const keys = Array.from({ length: 60_000 }, (_, n) => Buffer.from(`key ${n}`))
  for (const round of [0, 1])
    for (const [n, key] of keys.entries()) assert.ok(table.put(key, 0, key.length, round * 100_000 + n))
  assert.equal(table.size, keys.length)
  const sorted = [...table.sorted()].map(entry => ({ ...entry, bytes: Buffer.from(entry.bytes) }))
  assert.ok(sorted.every((entry, n) => n === 0 || compareEntries(sorted[n - 1]!, entry) < 0))
  const offsets = new Map(sorted.map(one => [one.bytes.toString(), one.offset]))
  assert.ok(keys.every((key, n) => offsets.get(key.toString()) === 100_000 + n))
  table.clear()
  assert.deepEqual([table.size, [...table.sorted()]], [0, []])
})

test('a key is not taken for the digest of another one', () => {
  const table = new KeyTable(10_000)
  const long = Buffer.alloc(KEY_BYTES_MAX + 1, 'x')
  table.put(long, 0, long.length, 1)
  const [entry] = table.sorted()
  const digest = Buffer.from(entry!.bytes)
  table.put(digest, 0, digest.length, 2)
  assert.equal(table.size, 2)
})
