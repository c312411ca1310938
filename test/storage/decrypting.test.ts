import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { isMaxbrodError } from '../../src/runtime/errors.ts'
import { sealFor } from '../../src/storage/age/seal.ts'
import type { Identity, Recipient } from '../../src/storage/age/x25519.ts'
import { decrypting } from '../../src/storage/decrypting.ts'
import { newMemoryStore } from '../../src/storage/memory.ts'
import type { GetOptions, ObjectStore } from '../../src/storage/port.ts'
import { newAgeKey } from '../helpers/age-keys.ts'
import { bodyOf, contentOf, patternOf } from '../helpers/object-bodies.ts'
import { testObjectStore } from '../contracts/object-store.ts'

const ours = newAgeKey()
const escrow = newAgeKey()
const other = newAgeKey()
const CHUNK = 65_536
/** Above it, bodies are sealed again for each attempt. */
const HELD = 16 * 1024 * 1024

testObjectStore('decrypting', async () => {
  const inner = newMemoryStore()
  const store = { ...inner, ...decrypting(inner, { identities: [ours.identity], mustBeSealed: () => false }) }
  return { store, async [Symbol.asyncDispose]() {} }
})

async function storeWith(
  content: Buffer,
  { to = [ours.recipient], by = [ours.identity] }: { to?: Recipient[]; by?: Identity[] } = {},
): Promise<{ store: ObjectStore; inner: ObjectStore; gets: GetOptions[]; sealed: Buffer }> {
  const memory = newMemoryStore()
  const gets: GetOptions[] = []
  const inner: ObjectStore = {
    ...memory,
    get(key, options = {}) {
      gets.push(options)
      return memory.get(key, options)
    },
  }
  const body = await sealFor(to)(bodyOf(content))
  assert.ok((await inner.put('x.age', body, { a: '1' })).created)
  const sealed = await contentOf(await memory.get('x.age'))
  return { store: decrypting(inner, { identities: by, mustBeSealed: () => false }), inner, gets, sealed }
}

for (const size of [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 1_000_003, HELD + 1]) {
  test(`${size} bytes are sealed and come back, by one request`, async () => {
    const content = patternOf(size)
    const { store, gets, sealed } = await storeWith(content)
    const read = await store.get('x.age')
    assert.deepEqual([read.bytes, read.facts], [content.length, { a: '1' }])
    assert.ok((await contentOf(read)).equals(content))
    assert.deepEqual(gets.length, 1)
    assert.ok(size < 10 || !sealed.includes(content.subarray(0, 10)))
  })
}

test('any recipient opens the file, others do not, and each file has keys of its own', async () => {
  const to = [escrow.recipient, ours.recipient]
  for (const by of [[ours.identity], [escrow.identity], [other.identity, escrow.identity]]) {
    const { store } = await storeWith(Buffer.from('secret'), { to, by })
    assert.equal((await contentOf(await store.get('x.age'))).toString(), 'secret')
  }
  for (const by of [[], [other.identity]]) {
    const { store } = await storeWith(Buffer.from('secret'), { to, by })
    await assert.rejects(
      store.get('x.age'),
      (error: unknown) => isMaxbrodError(error, 'NO_IDENTITY') && error.message.includes('x.age'),
    )
  }
  const [one, two] = [await storeWith(patternOf(100)), await storeWith(patternOf(100))]
  assert.ok(!one.sealed.equals(two.sealed))
})

test('any range reads as that of the content, the first one by one request', async () => {
  const content = patternOf(5 * CHUNK + 17)
  const many = Array.from({ length: 40 }, () => newAgeKey().recipient)
  const stores = [await storeWith(content), await storeWith(content, { to: [...many, ours.recipient] })]
  for (const { store, gets } of stores) {
    gets.length = 0
    assert.ok((await contentOf(await store.get('x.age', { bytes: 8_192 }))).equals(content.subarray(0, 8_192)))
  }
  assert.deepEqual(
    stores.map(({ gets }) => gets.length),
    [1, 2],
  )
  const edge = fc.integer({ min: -1, max: 6 }).chain(n => fc.integer({ min: -2, max: 2 }).map(d => n * CHUNK + d))
  const place = fc.oneof(edge, fc.nat(content.length + 10)).map(at => Math.max(0, at))
  await fc.assert(
    fc.asyncProperty(place, place, fc.nat(1), async (start, bytes, which) => {
      const read = await stores[which]!.store.get('x.age', { start, bytes })
      assert.equal(read.bytes, content.length)
      assert.ok((await contentOf(read)).equals(content.subarray(start, start + bytes)))
    }),
    { numRuns: 150 },
  )
})

test('a flipped bit anywhere, a cut anywhere, an addition: nothing false is given out, and the error names the object', async () => {
  const content = patternOf(2 * CHUNK + 100)
  const { sealed } = await storeWith(content, { to: [ours.recipient, escrow.recipient] })
  const headerBytes = sealed.indexOf('\n---') + 60
  const damage = fc.oneof(
    fc.tuple(fc.oneof(fc.nat(headerBytes), fc.nat(sealed.length - 1)), fc.nat(7)).map(([at, bit]) => {
      const copy = Buffer.from(sealed)
      copy[at]! ^= 1 << bit
      return copy
    }),
    fc.oneof(fc.nat(headerBytes), fc.nat(sealed.length - 1)).map(at => sealed.subarray(0, at)),
    fc.uint8Array({ minLength: 1, maxLength: 100 }).map(more => Buffer.concat([sealed, more])),
    fc.constant(Buffer.concat([sealed, sealed.subarray(-116)])),
  )
  await fc.assert(
    fc.asyncProperty(damage, fc.constantFrom(undefined, 100), async (damaged, bytes) => {
      const store = newMemoryStore()
      await store.put('x.age', bodyOf(damaged), {})
      const opened = decrypting(store, { identities: [ours.identity], mustBeSealed: () => false })
      const given: Buffer[] = []
      const error = await (async () => {
        const read = await opened.get('x.age', bytes === undefined ? {} : { bytes })
        for await (const piece of read.body) given.push(piece)
      })().catch((thrown: unknown) => thrown)
      const out = Buffer.concat(given)
      assert.ok(out.equals(content.subarray(0, out.length)))
      if (bytes === undefined || error !== undefined) {
        // A bit in the key of ours can make it one of somebody else's.
        assert.ok(isMaxbrodError(error, 'OBJECT_CORRUPT', 'NO_IDENTITY'), String(error))
        assert.ok(error.message.includes('x.age'))
      }
    }),
    { numRuns: 300 },
  )
})

test('a header without an end is given up early', async () => {
  const endless = Buffer.concat([Buffer.from('age-encryption.org/v1\n'), Buffer.alloc(50_000_000, '-> a\n\n')])
  let given = 0
  const store: ObjectStore = {
    ...newMemoryStore(),
    get: (_key, { bytes = endless.length } = {}) =>
      Promise.resolve({
        bytes: endless.length,
        etag: '1',
        facts: {},
        body: (async function* () {
          for (let at = 0; at < bytes; at += 10_000) {
            given += 10_000
            yield endless.subarray(at, at + 10_000)
          }
        })(),
        async [Symbol.asyncDispose]() {},
      }),
  }
  const opened = decrypting(store, { identities: [ours.identity], mustBeSealed: () => false })
  await assert.rejects(opened.get('x.age'), (error: unknown) => isMaxbrodError(error, 'OBJECT_CORRUPT'))
  assert.ok(given < 200_000, `${given} bytes`)
})

test('a body that changes while it is read again for each attempt is not stored', async () => {
  const content = patternOf(HELD + 1)
  let opened = 0
  const body = bodyOf(content)
  const changing = {
    ...body,
    async *open() {
      opened++
      yield content.subarray(0, HELD)
      yield Buffer.from([opened])
    },
  }
  await assert.rejects(sealFor([ours.recipient])(changing), (error: unknown) => isMaxbrodError(error, 'DISK'))
})

test('who holds a secret key stores no data file plain: it may be made of encrypted ones', async () => {
  const memory = newMemoryStore()
  const isData = (name: string) => !name.startsWith('@')
  const store = decrypting(memory, { identities: [ours.identity], mustBeSealed: () => false, isData })
  await assert.rejects(
    store.put('orders/0/x.avro', bodyOf('plain'), {}),
    (error: unknown) => isMaxbrodError(error, 'NOT_ENCRYPTED') && error.message.includes('orders/0/x.avro'),
  )
  for (const name of ['@groups/x.avro', 'orders/0/x.avro.age'])
    assert.ok((await store.put(name, bodyOf('something'), {})).created)
  const keyless = decrypting(memory, { identities: [], mustBeSealed: () => false, isData })
  assert.ok((await keyless.put('orders/0/x.avro', bodyOf('plain'), {})).created)
})

test('with --require-encryption plain data files are refused, and what is never encrypted is read', async () => {
  const memory = newMemoryStore()
  const keys = ['orders/0/orders-0-0000000000000000000.avro', '@groups/2026-11-21T05-30-13.123Z.avro']
  for (const key of keys) await memory.put(key, bodyOf('plain'), {})
  const strict = decrypting(memory, { identities: [ours.identity], mustBeSealed: key => !key.startsWith('@') })
  await assert.rejects(
    strict.get(keys[0]!),
    (error: unknown) => isMaxbrodError(error, 'NOT_ENCRYPTED') && error.message.includes(keys[0]!),
  )
  assert.equal((await contentOf(await strict.get(keys[1]!))).toString(), 'plain')
  const lenient = decrypting(memory, { identities: [], mustBeSealed: () => false })
  for (const key of keys) assert.equal((await contentOf(await lenient.get(key))).toString(), 'plain')
})
