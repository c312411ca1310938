import assert from 'node:assert/strict'
import { readdir, writeFile } from 'node:fs/promises'
import { test } from 'node:test'
import { MaxbrodError } from '../../src/runtime/errors.ts'
import { eventually } from '../helpers/eventually.ts'
import { bodyOf } from '../helpers/object-bodies.ts'
import { spansIn, storeWith } from '../helpers/chain-stores.ts'
import { openChain } from '../helpers/open-chain.ts'

const unreachable = () => new MaxbrodError('STORAGE_UNREACHABLE', 'as the test wants')

test('an upload that fails is tried again, and no tile is put before the one ahead of it is durable', async () => {
  let failures = 5
  let running = 0
  const puts: string[] = []
  const store = storeWith(inner => ({
    async put(key, ...rest) {
      assert.equal(++running, 1, 'one PUT at a time')
      try {
        if (failures-- > 0) throw unreachable()
        puts.push(key)
        return await inner.put(key, ...rest)
      } finally {
        running--
      }
    },
  }))
  await using opened = await openChain(store)
  for (const to of [10, 20, 30]) await opened.readTile(to)
  await opened.chain.drained()
  assert.equal(opened.troubles.length, 5)
  assert.deepEqual(puts, puts.toSorted())
  assert.deepEqual(await spansIn(store), [
    [0, 10],
    [10, 20],
    [20, 30],
  ])
  assert.deepEqual(
    opened.commits.map(({ offset }) => offset),
    [10, 20, 30],
  )
  assert.deepEqual(opened.moved, [])
})

test('a PUT whose answer was lost is found to be our own: one object, one commit, nothing read again', async () => {
  let calls = 0
  const store = storeWith(inner => ({
    async put(key, ...rest) {
      const answer = await inner.put(key, ...rest)
      if (++calls === 1) throw unreachable()
      return answer
    },
  }))
  await using opened = await openChain(store)
  await opened.readTile(10)
  await opened.readTile(20)
  await opened.chain.drained()
  assert.equal(opened.troubles.length, 1)
  assert.deepEqual([opened.moved, opened.commits.map(({ offset }) => offset)], [[], [10, 20]])
  assert.deepEqual(await spansIn(store), [
    [0, 10],
    [10, 20],
  ])
})

test('a store that keeps less than it was given is trouble, and nothing is committed', async () => {
  const store = storeWith(inner => ({
    async put(key, body, facts) {
      const whole = Buffer.concat(await Array.fromAsync(body.open()))
      return inner.put(key, bodyOf(whole.subarray(0, -1)), facts)
    },
  }))
  await using opened = await openChain(store, { onTrouble: () => 'stop' })
  await opened.readTile(10)
  await opened.chain.drained()
  assert.deepEqual(
    opened.troubles.map(error => (error as MaxbrodError).code),
    ['OBJECT_CORRUPT'],
  )
  assert.deepEqual([opened.commits, opened.uploaded], [[], []])
})

test('a store that says created and has nothing is trouble, and nothing is committed', async () => {
  const store = storeWith(() => ({ put: async () => ({ created: true, etag: '"1"' }) }))
  await using opened = await openChain(store, { onTrouble: () => 'stop' })
  await opened.readTile(10)
  await opened.chain.drained()
  assert.deepEqual(
    opened.troubles.map(error => (error as MaxbrodError).code),
    ['STORAGE_UNREACHABLE'],
  )
  assert.deepEqual([opened.commits, opened.uploaded], [[], []])
})

test('a partition that is lost during a PUT commits nothing more, and puts nothing more', async () => {
  const late = Promise.withResolvers<void>()
  const puts: string[] = []
  const store = storeWith(inner => ({
    async put(key, body, facts) {
      puts.push(key)
      await late.promise
      return inner.put(key, body, facts)
    },
  }))
  await using opened = await openChain(store)
  await opened.readTile(10)
  await opened.readTile(20)
  await eventually('the first PUT is under way', () => puts.length === 1)
  opened.lose()
  late.resolve()
  await opened.chain.drained()
  assert.equal(puts.length, 1)
  assert.deepEqual([opened.commits, opened.troubles], [[], []])
  assert.deepEqual(await spansIn(store), [[0, 10]], 'the next owner finds it')
})

test('a spool that does not hold what was written to it is read again from the last durable tile on', async () => {
  let mayPut = Promise.withResolvers<void>()
  const store = storeWith(inner => ({
    async put(key, body, facts, signal) {
      if (!key.includes('@')) await mayPut.promise
      return inner.put(key, body, facts, signal)
    },
  }))
  mayPut.resolve()
  await using opened = await openChain(store)
  await opened.readTile(10)
  await opened.chain.drained()
  mayPut = Promise.withResolvers()
  await opened.read(20)
  opened.chain.rest() // it gives its memory back, so that the file counts
  await eventually('the block is in the spool', () => opened.chain.spooledBytes > 0)
  const spool = opened.spoolFolder
  for (const name of await readdir(spool)) await writeFile(`${spool}/${name}`, 'rotten')
  mayPut.resolve()
  opened.chain.close(20, 'the test says so')
  await opened.chain.drained()
  assert.deepEqual(
    opened.troubles.map(error => (error as MaxbrodError).code),
    ['DISK'],
  )
  assert.deepEqual(opened.moved, [{ position: 10, barrier: undefined }])
  await opened.readTile(20)
  await opened.chain.drained()
  assert.deepEqual(await spansIn(store), [
    [0, 10],
    [10, 20],
  ])
})

test('an upload over a slow line is alive as long as its bytes move, and stuck when they stand still', async () => {
  const minute = 60_000
  const [moved, stood] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  let pieces = 0
  const store = storeWith(inner => ({
    async put(key, body, ...rest) {
      for await (const _ of body.open()) {
        pieces++
        opened.clock.advance(14 * minute)
        assert.ok(opened.vitals.alive.isGood, opened.vitals.alive.says)
      }
      opened.clock.advance(21 * minute)
      moved.resolve()
      await stood.promise
      return inner.put(key, body, ...rest)
    },
  }))
  await using opened = await openChain(store)
  opened.vitals.allow(20 * minute)
  await opened.read(10)
  await opened.readTile(20)
  await moved.promise
  assert.ok(pieces > 1, `${pieces} pieces`)
  assert.match(opened.vitals.alive.says, /^stuck for 21m/)
  stood.resolve()
  await opened.chain.drained()
  assert.deepEqual(await spansIn(store), [[0, 20]])
})
