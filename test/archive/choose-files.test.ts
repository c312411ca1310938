import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chooseFiles } from '../../src/archive/choose-files.ts'
import type { Verified } from '../../src/archive/choose-files.ts'
import { Dice } from '../helpers/seed.ts'

const files = Array.from({ length: 100 }, (_, n) => ({ key: `file ${n}`, etag: `etag ${n}`, bytes: n }))
const dice = new Dice('choose files')
const choose = (known: ReadonlyMap<string, Verified>, share: number, ...done: number[]) =>
  chooseFiles(files, known, share, new Set(done.map(n => `file ${n}`)), () => dice.number())
const verified = (n: number, atMs: number): [string, Verified] => [
  `file ${n}`,
  { etag: `etag ${n}`, bytes: n, sha256: 'x', atMs },
]

test('a sample of a twentieth has read every file after twenty runs', () => {
  const known = new Map<string, Verified>()
  for (let run = 1; run <= 20; run++) {
    const chosen = choose(known, 0.05)
    assert.equal(chosen.length, 5)
    for (const { key, etag, bytes } of chosen) known.set(key, { etag, bytes, sha256: 'x', atMs: run })
  }
  assert.equal(known.size, 100)
})

test('a sample is at least one file, and without a memory it is another one each time', () => {
  const first = new Set(Array.from({ length: 20 }, () => choose(new Map(), 0.001).map(({ key }) => key)).flat())
  assert.ok(first.size > 1, [...first].join(', '))
  assert.equal(choose(new Map(), 0.001).length, 1)
})

test('a run that was interrupted goes on with the rest: all of it, or what is left of the sample', () => {
  const known = new Map([verified(0, 50), verified(1, 120), verified(2, 130)])
  const rest = choose(known, 1, 1, 2).map(({ key }) => key)
  assert.equal(rest.length, 98)
  assert.ok(!rest.includes('file 1') && !rest.includes('file 2') && rest.includes('file 0'))
  assert.equal(choose(known, 0.05, 1, 2).length, 3)
  assert.equal(choose(known, 0.02, 1, 2).length, 0)
})

test('a file that is not what it was is read again in any case', () => {
  const known = new Map(files.map((_, n) => verified(n, 120)))
  known.set('file 7', { ...known.get('file 7')!, etag: 'other' })
  known.set('file 9', { ...known.get('file 9')!, bytes: 1 })
  assert.deepEqual(
    choose(known, 0.01, ...files.keys()).map(({ key }) => key),
    ['file 7', 'file 9'],
  )
})
