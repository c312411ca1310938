import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { openDirectoryStore } from '../../src/storage/directory.ts'
import { DirectoryLayout, raw } from '../../src/storage/directory-layout.ts'
import { compareKeys } from '../../src/storage/key.ts'
import { all, bodyOf, contentOf } from '../helpers/object-bodies.ts'

const layout = new DirectoryLayout('/r')

test('a name of 255 bytes is one name, a longer one is its first 240 bytes, a tilde, and the rest', () => {
  const cases: [string, string][] = [
    ['x'.repeat(255), 'x'.repeat(255)],
    ['x'.repeat(256), `${'x'.repeat(240)}~/${'x'.repeat(16)}`],
    ['x'.repeat(500), `${'x'.repeat(240)}~/${'x'.repeat(240)}~/${'x'.repeat(20)}`],
    [`t/0/${'x'.repeat(256)}`, `t/0/${'x'.repeat(240)}~/${'x'.repeat(16)}`],
    [`${'x'.repeat(256)}/y`, `${'x'.repeat(240)}~/${'x'.repeat(16)}/y`],
    // It would pass for the first part of a long name.
    [`${'x'.repeat(240)}~`, `${'x'.repeat(240)}~/~`],
    [`${'x'.repeat(240)}~x`, `${'x'.repeat(240)}~x`],
  ]
  for (const [key, path] of cases) assert.equal(layout.objectPath(key), `/r/${path}`)
})

test('the length that counts is that of the bytes', () => {
  const key = 'é'.repeat(128)
  const [head, rest, ...more] = layout.objectPath(key).split('/').slice(2).map(raw)
  assert.deepEqual(more, [])
  assert.equal(head?.length, 241)
  assert.equal(rest?.length, 16)
  assert.equal(Buffer.concat([head.subarray(0, 240), rest]).toString(), key)
})

test('facts have a place of their own for every key, and no name is too long', () => {
  const segment = fc.oneof(
    fc.string({ minLength: 1, maxLength: 5 }),
    fc.integer({ min: 236, max: 262 }).map(n => 'x'.repeat(n)),
  )
  const key = fc.array(segment, { minLength: 1, maxLength: 3 }).map(segments => segments.join('/'))
  fc.assert(
    fc.property(key, key, (a, b) => {
      const paths = [layout.objectPath(a), layout.objectPath(b), layout.factsPath(a, 0), layout.factsPath(b, 0)]
      paths.push(layout.factsPath(a, 1), layout.factsPath(b, 1))
      assert.equal(new Set(paths).size, a === b ? 3 : 6)
      for (const path of paths) for (const name of path.split('/')) assert.ok(raw(name).length <= 255)
    }),
  )
})

test('names around the limits are stored, read and listed as what they are', { timeout: 120_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'maxbrod-store-'))
  try {
    const store = openDirectoryStore(folder)
    const tails = [
      '',
      '~',
      '~~',
      'a',
      'z'.repeat(14),
      'z'.repeat(15),
      'z'.repeat(16),
      'b'.repeat(300),
      `${'c'.repeat(300)}/x`,
    ]
    const keys = ['x', 'é', '𐀀'].flatMap(letter => {
      const head = letter.repeat(240 / Buffer.byteLength(letter))
      // One byte off, so that a head ends inside a character.
      return [...tails.map(tail => head + tail), `.${head}${'y'.repeat(20)}`]
    })
    for (const key of keys) assert.equal((await store.put(`t/${key}`, bodyOf(key), { a: 'b' })).created, true, key)
    const listed = (await all(store.list('t/'))).map(object => object.key)
    assert.deepEqual(listed, keys.map(key => `t/${key}`).sort(compareKeys))
    for (const key of keys) assert.equal(String(await contentOf(await store.get(`t/${key}`))), key)
    for (const [at, after] of listed.entries()) {
      assert.equal((await all(store.list('t/', { after })))[0]?.key, listed[at + 1])
    }
    assert.deepEqual(
      await all(store.folders('t/')),
      [...new Set(keys.filter(key => key.includes('/')).map(key => key.split('/')[0]!))].sort(compareKeys),
    )
    for (const name of await readdir(join(folder, 't'))) assert.ok(Buffer.byteLength(name) <= 255)
  } finally {
    await rm(folder, { recursive: true })
  }
})
