/**
 * What every driver and every wrapper of src/storage/port.ts promises. A driver's test file is a factory:
 *
 *     testObjectStore('memory', async () => ({ store: newMemoryStore(), [Symbol.asyncDispose]: async () => {} }))
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { isMaxbrodError } from '../../src/runtime/errors.ts'
import { compareKeys } from '../../src/storage/key.ts'
import type { ObjectBody, ErasableStore } from '../../src/storage/port.ts'
import { all, bodyOf, contentOf, patternOf } from '../helpers/object-bodies.ts'

/** A store that holds nothing yet. */
export interface StoreUnderTest extends AsyncDisposable {
  readonly store: ErasableStore
}

export interface StoreTraits {
  /** How many keys it lists per request, when that can be lowered for a test; the listing is a few of them long. */
  readonly pageKeys?: number
  /** False for a server that sorts supplementary characters as UTF-16 does. Kafka's names have none. */
  readonly sortsAllOfUnicode?: boolean
}

const facts = { 'cluster-id': 'pLf4c0b5R4-wx', 'covers-to': '1234', 'upload-id': 'a_b=c/"d" %5F%25', records: '0' }

export function testObjectStore(
  name: string,
  open: () => Promise<StoreUnderTest>,
  { pageKeys = 1000, sortsAllOfUnicode = true }: StoreTraits = {},
): void {
  /** Runs `run` with a store of its own. */
  const check = (title: string, run: (store: ErasableStore) => Promise<void>): void => {
    test(title, { timeout: 120_000 }, async () => {
      await using opened = await open()
      await run(opened.store)
    })
  }

  describe(`object store: ${name}`, () => {
    check('an object comes back with its bytes, its size, its ETag and its facts', async store => {
      const put = await store.put('orders/0/a.avro', bodyOf('hello'), facts)
      assert.equal(put.created, true)
      await using read = await store.get('orders/0/a.avro')
      assert.deepEqual({ bytes: read.bytes, etag: read.etag, facts: read.facts }, { bytes: 5, etag: put.etag, facts })
      assert.equal(String(await contentOf(read)), 'hello')
      assert.deepEqual(await store.head('orders/0/a.avro'), { bytes: 5, etag: put.etag, facts })
      await using bare = await store.get('orders/0/a.avro', { bytes: 2, facts: 'unneeded' })
      assert.deepEqual([bare.bytes, bare.etag, String(await contentOf(bare))], [5, put.etag, 'he'])
      const [listed, ...more] = await all(store.list(''))
      assert.deepEqual(more, [])
      assert.ok(listed !== undefined && Math.abs(listed.modifiedAtMs - Date.now()) < 60_000)
      const { modifiedAtMs: _, ...rest } = listed
      assert.deepEqual(rest, { key: 'orders/0/a.avro', bytes: 5, etag: put.etag })
    })

    check('a second put of a key changes nothing', async store => {
      const first = await store.put('a/b', bodyOf('first'), facts)
      assert.equal(first.created, true)
      assert.deepEqual(await store.put('a/b', bodyOf('second'), { other: 'facts' }), { created: false })
      assert.deepEqual(await store.put('a/b', bodyOf('first'), facts), { created: false })
      assert.deepEqual(await store.head('a/b'), { bytes: 5, etag: first.etag, facts })
      assert.equal(String(await contentOf(await store.get('a/b'))), 'first')
    })

    check('the same body can be put twice', async store => {
      const body = bodyOf(patternOf(300_000))
      assert.equal((await store.put('a/1', body, facts)).created, true)
      assert.equal((await store.put('a/2', body, facts)).created, true)
      assert.deepEqual(await contentOf(await store.get('a/2')), patternOf(300_000))
    })

    check('of many writers of a key one wins, and the object is his with his facts', async store => {
      for (let race = 0; race < 20; race++) {
        const key = `race/${race}`
        const puts = await Promise.all(
          Array.from({ length: 8 }, (_, writer) =>
            patiently(() => store.put(key, bodyOf(`body of ${writer}`), { writer: String(writer) })),
          ),
        )
        const winners = puts.flatMap(({ created }, writer) => (created ? [writer] : []))
        assert.equal(winners.length, 1, `winners of race ${race}: ${winners.join(' ')}`)
        await using read = await store.get(key)
        assert.deepEqual(read.facts, { writer: String(winners[0]) })
        assert.equal(String(await contentOf(read)), `body of ${winners[0]}`)
      }
    })

    check('an empty object is an object', async store => {
      assert.equal((await store.put('a/empty', bodyOf(''), facts)).created, true)
      assert.deepEqual(await store.put('a/empty', bodyOf('x'), facts), { created: false })
      assert.equal((await store.head('a/empty'))?.bytes, 0)
      assert.equal((await contentOf(await store.get('a/empty'))).length, 0)
      assert.equal((await contentOf(await store.get('a/empty', { start: 0, bytes: 10 }))).length, 0)
    })

    check('an object of more than 16 MiB comes back whole, and in ranges', async store => {
      const content = patternOf(17 * 1024 * 1024 + 3)
      assert.equal((await store.put('a/large', bodyOf(content, 1024 * 1024), facts)).created, true)
      const back = await contentOf(await store.get('a/large'))
      assert.ok(back.equals(content))
      const start = 16 * 1024 * 1024 - 5
      const piece = await contentOf(await store.get('a/large', { start, bytes: 300_000 }))
      assert.ok(piece.equals(content.subarray(start, start + 300_000)))
    })

    check('a range is what it says, up to the end of the object', async store => {
      const content = patternOf(10_000)
      const put = await store.put('a/range', bodyOf(content), facts)
      assert.ok(put.created)
      await fc.assert(
        fc.asyncProperty(fc.integer({ min: 0, max: 11_000 }), fc.option(fc.nat(11_000)), async (start, bytes) => {
          const range = bytes === null ? { start } : { start, bytes }
          await using read = await store.get('a/range', { ...range, ifMatch: put.etag })
          assert.equal(read.bytes, 10_000, 'bytes is the size of the whole object')
          assert.deepEqual(read.facts, facts)
          assert.equal(read.etag, put.etag)
          assert.deepEqual(await contentOf(read), content.subarray(start, bytes === null ? undefined : start + bytes))
        }),
        {
          numRuns: 30,
          examples: [
            [0, 0],
            [10_000, null],
            [9_999, 1],
            [10_001, 5],
            [0, 10_000],
          ],
        },
      )
    })

    check('a body can be left in the middle, or never begun', async store => {
      await store.put('a/large', bodyOf(patternOf(4_000_000)), facts)
      for (let n = 0; n < 20; n++) {
        await using read = await store.get('a/large')
        // oxlint-disable-next-line no-unreachable-loop -- leaving is the point
        for await (const chunk of read.body) {
          assert.ok(chunk.length > 0)
          break
        }
        const unread = await store.get('a/large')
        await unread[Symbol.asyncDispose]()
        await unread[Symbol.asyncDispose]()
      }
      assert.equal((await contentOf(await store.get('a/large'))).length, 4_000_000)
    })

    check('a body is read once', async store => {
      await store.put('a/b', bodyOf('x'), facts)
      const read = await store.get('a/b')
      await contentOf(read)
      await assert.rejects(() => contentOf(read), /read twice/)
    })

    check('another ETag than the one asked for is OBJECT_CHANGED', async store => {
      const a = await store.put('a/1', bodyOf('one'), facts)
      const b = await store.put('a/2', bodyOf('other'), facts)
      assert.ok(a.created && b.created)
      assert.equal(String(await contentOf(await store.get('a/1', { ifMatch: a.etag }))), 'one')
      await assert.rejects(store.get('a/1', { ifMatch: b.etag }), { code: 'OBJECT_CHANGED' })
      await assert.rejects(store.get('a/1', { ifMatch: b.etag, start: 100 }), { code: 'OBJECT_CHANGED' })
    })

    check('the listed ETag is the one that get compares', async store => {
      await store.put('a/1', bodyOf('one'), facts)
      for await (const { key, etag } of store.list('a/')) await contentOf(await store.get(key, { ifMatch: etag }))
    })

    check('what is not there is missing', async store => {
      await store.put('a/b/c', bodyOf('x'), facts)
      for (const key of ['nothing', 'a', 'a/b', 'a/b/c/d', 'a/b/C']) {
        assert.equal(await store.head(key), undefined, key)
        await assert.rejects(store.get(key), { code: 'OBJECT_MISSING' }, key)
        await assert.rejects(store.get(key, { start: 5, bytes: 5 }), { code: 'OBJECT_MISSING' }, key)
        await store.delete(key)
      }
      assert.deepEqual(await all(store.list('nothing/')), [])
      assert.deepEqual(await all(store.list('a/b/c/d/')), [])
      assert.deepEqual(await all(store.folders('nothing/')), [])
      assert.equal((await all(store.list(''))).length, 1)
    })

    check('a deleted object is gone, and its key can be used again with other facts', async store => {
      await store.put('a/b', bodyOf('old'), facts)
      await store.delete('a/b')
      await store.delete('a/b')
      assert.equal(await store.head('a/b'), undefined)
      assert.deepEqual(await all(store.list('')), [])
      assert.deepEqual(await all(store.folders('')), [])
      assert.equal((await store.put('a/b', bodyOf('new'), { now: 'new' })).created, true)
      assert.deepEqual((await store.head('a/b'))?.facts, { now: 'new' })
    })

    check('many objects are deleted at once, missing ones among them, and no other one', async store => {
      const keys = Array.from({ length: 60 }, (_, n) => `t/0/t-0-${String(n).padStart(19, '0')}.avro`)
      for (const key of keys) await store.put(key, bodyOf(key), facts)
      const odd = 'a&b <c>/d+e f'
      await store.put(odd, bodyOf('x'), facts)
      const gone = [...keys.slice(0, 50), odd, 'never/there']
      assert.deepEqual(await store.deleteAll(gone), [])
      assert.deepEqual(await store.deleteAll(gone), [])
      assert.deepEqual(await store.deleteAll([]), [])
      const left = (await all(store.list(''))).map(({ key }) => key)
      assert.deepEqual(left, keys.slice(50))
    })

    check('facts may be none, and long', async store => {
      const long = { sha256: 'f'.repeat(64), 'upload-id': 'x'.repeat(1500) }
      await store.put('a/none', bodyOf('x'), {})
      await store.put('a/long', bodyOf('x'), long)
      assert.deepEqual((await store.head('a/none'))?.facts, {})
      assert.deepEqual((await store.head('a/long'))?.facts, long)
    })

    check('a listing goes through many pages, from any key on, in the order of the keys', async store => {
      const keys = Array.from(
        { length: pageKeys * 3 + 7 },
        (_, index) => `t/0/t-0-${String(index * 7).padStart(19, '0')}.avro`,
      )
      for (let at = 0; at < keys.length; at += 50) {
        await Promise.all(keys.slice(at, at + 50).map(key => store.put(key, bodyOf('x'), {})))
      }
      const keysFrom = async (after?: string) => (await all(store.list('t/0/', { after }))).map(({ key }) => key)
      assert.deepEqual(await keysFrom(), keys)
      for (const at of [0, 1, pageKeys - 1, pageKeys, pageKeys + 1, keys.length - 2, keys.length - 1]) {
        assert.deepEqual(await keysFrom(keys[at]), keys.slice(at + 1))
      }
      assert.deepEqual(await keysFrom('t/0/t-0-0000000000000000005.avro'), keys.slice(1), 'a key that does not exist')
      assert.deepEqual(await keysFrom('s'), keys)
      assert.deepEqual(await keysFrom('u'), [])
      // oxlint-disable-next-line no-unreachable-loop -- a listing that is left must not hold on to anything
      for await (const { key } of store.list('t/0/')) {
        assert.equal(key, keys[0])
        break
      }
    })

    check('any prefix lists what begins with it', async store => {
      const keys = [
        'a',
        'a.b/x',
        'a0',
        'ab/c',
        'b/1/x',
        'b/1/y',
        'b/10/x',
        'b/2',
        'b.c',
        'b@id/0/x',
        '@cluster/cluster.json',
      ]
      for (const key of keys) await store.put(key, bodyOf(key), {})
      for (const prefix of ['', 'a', 'b', 'b/', 'b/1', 'b/1/', 'b/1/x', 'b@', '@', '@cluster/', 'z', 'b/1/xx']) {
        const expected = keys.filter(key => key.startsWith(prefix)).sort(compareKeys)
        assert.deepEqual(
          (await all(store.list(prefix))).map(({ key }) => key),
          expected,
          `prefix ${prefix}`,
        )
      }
    })

    check('listings keep the order of bytes, with keys of all kinds', async store => {
      const characters = Array.from('aAzZ09._-@~ +&<>\'"%*()!$=:;,?[]éﾀ')
      const character = fc.constantFrom(...characters, ...(sortsAllOfUnicode ? ['𐀀', '😀'] : []))
      const segment = fc
        .string({ unit: character, minLength: 1, maxLength: 8 })
        .filter(text => text !== '.' && text !== '..')
      const key = fc.array(segment, { minLength: 1, maxLength: 4 }).map(segments => segments.join('/'))
      const keys = fc.sample(key, { numRuns: 150, seed: 7 })
      const put = new Set<string>()
      for (const each of keys) {
        // A file system has no folder where it has a file, which is no loss: our keys never do that.
        const isInTheWay = [...put].some(other => other.startsWith(`${each}/`) || each.startsWith(`${other}/`))
        if (isInTheWay || put.has(each)) continue
        assert.equal((await store.put(each, bodyOf(each), {})).created, true, each)
        put.add(each)
      }
      const listed = (await all(store.list(''))).map(object => object.key)
      assert.deepEqual(listed, [...put].sort(compareKeys))
      for (const each of put) assert.equal(String(await contentOf(await store.get(each))), each)
      const tops = new Set([...put].filter(each => each.includes('/')).map(each => each.split('/')[0]!))
      assert.deepEqual(
        await all(store.folders('')),
        [...tops].sort((a, b) => compareKeys(`${a}/`, `${b}/`)),
      )
    })

    check('folders are the names with objects below them, through many pages', async store => {
      const names = Array.from({ length: 30 }, (_, index) => `topic-${index}`)
      // Beside `topic-1`: all that can stand between a name and what begins like it.
      names.push('topic-1.x', 'topic-1-x', 'topic-1@x', 'topic-1_')
      for (const each of names) {
        await store.put(`${each}/0/x`, bodyOf('x'), {})
        await store.put(`${each}/0/y`, bodyOf('x'), {})
      }
      await store.put('file', bodyOf('x'), {})
      await store.put('topic-1/1@e5/x', bodyOf('x'), {})
      await store.put('topic-1/10/x', bodyOf('x'), {})
      await store.put('topic-1/file', bodyOf('x'), {})
      const sorted = names.sort((a, b) => compareKeys(`${a}/`, `${b}/`))
      assert.deepEqual(await all(store.folders('')), sorted)
      for (const [at, after] of sorted.entries()) {
        assert.deepEqual(await all(store.folders('', { after })), sorted.slice(at + 1), `folders after ${after}`)
      }
      assert.deepEqual(await all(store.folders('', { after: 'topic-10x' })), sorted.slice(sorted.indexOf('topic-11')))
      assert.deepEqual(await all(store.folders('topic-1/')), ['0', '10', '1@e5'])
    })

    check('objects beside folders are told, once each, and none of those further below', async store => {
      const told = async (prefix: string) => {
        const keys: string[] = []
        await all(store.folders(prefix, { onObject: key => void keys.push(key) }))
        return keys
      }
      for (const key of ['b/c/d', 'b/x', 'b/y z', 'a', 'c', 'b/d/e/f']) await store.put(key, bodyOf('x'), {})
      assert.deepEqual(await told(''), ['a', 'c'])
      assert.deepEqual(await told('b/'), ['b/x', 'b/y z'])
      assert.deepEqual(await told('b/c/'), ['b/c/d'])
      assert.deepEqual(await told('nothing/'), [])
    })

    check('topics with names of 249 characters fit', async store => {
      const topic = 'x'.repeat(249)
      const id = '@AbCdEfGhIjKlMnOpQrStUv'
      const keys = [
        `${topic}/0/${topic}-0-0000000000000000000.avro`,
        `${topic}${id}/0/${topic}-0-0000000000000000000.avro`,
      ]
      for (const key of keys) {
        assert.equal((await store.put(key, bodyOf(key), facts)).created, true)
        assert.deepEqual(await store.put(key, bodyOf('other'), facts), { created: false })
        assert.deepEqual((await store.head(key))?.facts, facts)
        assert.equal(String(await contentOf(await store.get(key))), key)
      }
      assert.deepEqual(
        (await all(store.list(''))).map(({ key }) => key),
        keys,
      )
      assert.deepEqual(
        (await all(store.list(`${topic}/0/`))).map(({ key }) => key),
        [keys[0]],
      )
      assert.deepEqual(await all(store.folders('')), [topic, topic + id])
      assert.deepEqual(await all(store.folders(`${topic}${id}/`)), ['0'])
    })

    check('what is no key is refused and touches nothing', async store => {
      const hostile = [
        '',
        '/',
        '/etc/passwd',
        'a/',
        'a//b',
        '..',
        '../x',
        'a/../../x',
        'a/..',
        '.',
        './a',
        'a/./b',
        'a\0b',
      ]
      const others = ['a\nb', 'x'.repeat(1025), '\ud800', '@meta/a.json', '@tmp/x', '@meta', '@tmp']
      for (const key of [...hostile, ...others]) {
        await assert.rejects(store.put(key, bodyOf('x'), {}), { code: 'STORAGE_REFUSED' }, `put ${key}`)
        await assert.rejects(store.get(key), { code: 'STORAGE_REFUSED' }, `get ${key}`)
        await assert.rejects(store.head(key), { code: 'STORAGE_REFUSED' }, `head ${key}`)
        await assert.rejects(store.delete(key), { code: 'STORAGE_REFUSED' }, `delete ${key}`)
        const stays = await store.deleteAll([key]).catch((error: unknown) => [error])
        assert.equal(stays.length, 1, `deleteAll ${key}`)
      }
      for (const prefix of ['../', '/', 'a//', '@tmp/', 'a/../', './']) {
        await assert.rejects(all(store.list(prefix)), { code: 'STORAGE_REFUSED' }, `list ${prefix}`)
        await assert.rejects(all(store.folders(prefix)), { code: 'STORAGE_REFUSED' }, `folders ${prefix}`)
      }
      assert.deepEqual(await all(store.list('')), [])
    })

    check('facts that a store would alter are a bug of the caller', async store => {
      for (const bad of [{ Upper: 'x' }, { a: '' }, { a: ' x' }, { a: 'é' }, { a: 'x\n' }, { a: 'x'.repeat(2048) }]) {
        await assert.rejects(store.put('a/b', bodyOf('x'), bad), /maxbrod bug/)
      }
    })

    check('a source that holds less or more than it said becomes no object', async store => {
      const honest = bodyOf(patternOf(200_000), 50_000)
      const lying = (bytes: number): ObjectBody => ({ ...honest, bytes })
      await assert.rejects(store.put('a/short', lying(200_001), {}), { code: 'STORAGE_REFUSED' })
      await assert.rejects(store.put('a/long', lying(199_999), {}), { code: 'STORAGE_REFUSED' })
      const broken: ObjectBody = {
        ...honest,
        async *open() {
          yield patternOf(100_000)
          throw new Error('the disk is gone')
        },
      }
      await assert.rejects(store.put('a/broken', broken, {}), { message: 'the disk is gone' })
      assert.deepEqual(await all(store.list('')), [])
      assert.equal((await store.put('a/short', honest, {})).created, true)
    })

    check('a signal that has aborted stops every verb with its reason', async store => {
      await store.put('a/b', bodyOf('x'), {})
      const signal = AbortSignal.abort(new Error('enough'))
      const enough = { message: 'enough' }
      await assert.rejects(store.put('a/c', bodyOf('x'), {}, signal), enough)
      await assert.rejects(store.get('a/b', { signal }), enough)
      await assert.rejects(store.head('a/b', signal), enough)
      await assert.rejects(all(store.list('', { signal })), enough)
      await assert.rejects(all(store.folders('', { signal })), enough)
      await assert.rejects(store.delete('a/b', signal), enough)
      await assert.rejects(store.deleteAll(['a/b'], signal), enough)
      assert.deepEqual(
        (await all(store.list(''))).map(({ key }) => key),
        ['a/b'],
      )
    })

    check('a signal that aborts in the middle ends a put and a body', async store => {
      const control = new AbortController()
      const content = patternOf(1_000_000)
      const body: ObjectBody = {
        bytes: content.length,
        sha256: createHash('sha256').update(content).digest('hex'),
        async *open() {
          yield content.subarray(0, 500_000)
          control.abort(new Error('enough'))
          yield content.subarray(500_000)
        },
      }
      await assert.rejects(store.put('a/b', body, {}, control.signal), { message: 'enough' })
      assert.equal(await store.head('a/b'), undefined)

      await store.put('a/large', bodyOf(patternOf(8_000_000)), {})
      const reading = new AbortController()
      await using read = await store.get('a/large', { signal: reading.signal })
      const readAll = async () => {
        for await (const chunk of read.body) if (chunk.length > 0) reading.abort(new Error('enough'))
      }
      await assert.rejects(readAll(), { message: 'enough' })
    })
  })
}

/** S3 may answer two writers at the same moment with a conflict, which is for the next attempt to resolve. */
async function patiently<T>(attempt: () => Promise<T>, attempts = 10): Promise<T> {
  try {
    return await attempt()
  } catch (error) {
    if (attempts === 1 || !isMaxbrodError(error, 'STORAGE_UNREACHABLE')) throw error
    return patiently(attempt, attempts - 1)
  }
}
