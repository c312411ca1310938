import assert from 'node:assert/strict'
import { test } from 'node:test'
import { optionsOf } from './options.ts'
import type { Ports } from '../../src/commands/ports.ts'
import { newMemoryStore } from '../../src/storage/memory.ts'
import { storageOptions } from '../../src/storage/options.ts'
import { bodyOf } from '../../src/catalog/object-body.ts'
import type { Tools } from '../../src/commands/ports.ts'
import { Faults, firedFaults, parseFaults } from './faults.ts'
import { faultyPorts } from './faulty-ports.ts'
import { FaultyCli } from './faulty-process.ts'

/** A memory store behind the faults, and what they did to the process. */
async function faultyStore(text: string) {
  const done: string[] = []
  const ordered = parseFaults(text)
  const faults = new Faults(ordered, {
    signal: name => void done.push(name),
    write: line => void done.push(line),
  })
  const store = newMemoryStore()
  const ports = { openStore: () => Promise.resolve(store), disk: {} } as unknown as Ports
  const options = optionsOf(storageOptions, '--storage=file:///nowhere')
  return { store: await faultyPorts(ports, faults, ordered).openStore(options, {} as Tools), behind: store, done }
}

const body = bodyOf(Buffer.from('x'))

test('a fault is refused unless it names a verb of a port, a moment, calls and an effect', () => {
  assert.deepEqual(
    parseFaults('store.put~orders/0/:after:3:kill; kafka.fetch:before:2-:fail:NETWORK_EXCEPTION;').map(
      ({ verb, text, when, from, to, effect, argument }) => [verb, text, when, from, to, effect, argument],
    ),
    [
      ['store.put', 'orders/0/', 'after', 3, 3, 'kill', ''],
      ['kafka.fetch', '', 'before', 2, Infinity, 'fail', 'NETWORK_EXCEPTION'],
    ],
  )
  const [all, some] = parseFaults('disk.append:before:*:delay:5;store.head:after:2-4:answer:{"created":false}')
  assert.deepEqual([all?.from, all?.to, some?.from, some?.to, some?.argument], [1, Infinity, 2, 4, '{"created":false}'])
  for (const wrong of ['store.put', 'store.put:kill', 'store.put:during:1:kill', 'store.put:before::kill'])
    assert.throws(() => parseFaults(wrong), /no fault/, wrong)
  assert.throws(() => parseFaults('store.put:before:1:explode'), /no fault/)
  assert.throws(() => parseFaults('store.put:before:-3:kill'), /no fault/)
})

test('a verb that no port has is refused, because its fault would never fire', async () => {
  await assert.rejects(faultyStore('store.rename:before:1:kill'), /no verb of a port/)
})

test('the n-th call whose detail holds the text meets the fault, and no other', async () => {
  const { store, behind, done } = await faultyStore('store.put~b:before:2:fail')
  await store.put('b1', body, {})
  await store.put('a1', body, {})
  await assert.rejects(store.put('b2', body, {}), { code: 'STORAGE_UNREACHABLE' })
  await store.put('b3', body, {})
  assert.equal(await behind.head('b2'), undefined)
  assert.deepEqual(firedFaults(done.join('')), ['store.put~b:before:2:fail'])
})

test('after a call, a failure is a lost answer: what the call did is done', async () => {
  const { store, behind } = await faultyStore('store.put:after:1:fail:STORAGE_REFUSED')
  await assert.rejects(store.put('a', body, {}), { code: 'STORAGE_REFUSED' })
  assert.equal((await behind.head('a'))?.bytes, 1)
})

test('an answer can be made up, with the call or without it', async () => {
  const { store, behind } = await faultyStore('store.put:before:1:answer:{"created":false};store.head:after:1:answer')
  assert.deepEqual(await store.put('a', body, {}), { created: false })
  assert.equal(await behind.head('a'), undefined)
  await store.put('a', body, {})
  assert.equal(await store.head('a'), undefined)
  assert.equal((await store.head('a'))?.bytes, 1)
})

test('a stopped call goes on when the process does, a killed or hanging one never', async () => {
  const { store, done } = await faultyStore(
    'store.put~a:before:1:stop;store.put~b:before:1:kill;store.put~c:after:1:hang',
  )
  await store.put('a', body, {})
  let isDone = false
  void store.put('b', body, {}).then(() => (isDone = true))
  void store.put('c', body, {}).then(() => (isDone = true))
  await new Promise(resolve => setImmediate(resolve))
  assert.equal(isDone, false)
  assert.deepEqual(
    done.filter(one => one.startsWith('SIG')),
    ['SIGSTOP', 'SIGKILL'],
  )
})

test('a listing fails when it begins, or when it ends', async () => {
  const { store } = await faultyStore('store.list:before:1:fail;store.list:after:2:fail')
  await store.put('a', body, {})
  await assert.rejects(Array.fromAsync(store.list('')), { code: 'STORAGE_UNREACHABLE' })
  const seen: string[] = []
  const read = async () => {
    for await (const { key } of store.list('')) seen.push(key)
  }
  await assert.rejects(read(), { code: 'STORAGE_UNREACHABLE' })
  assert.deepEqual(seen, ['a'])
})

test('the real command line dies at the call that was ordered, and says so before', async () => {
  const argv = [
    'backup',
    '--once',
    '--storage=file:///nowhere',
    '--bootstrap-server=127.0.0.1:1',
    '--kafka-deadline=1s',
  ]
  const cli = new FaultyCli(argv, ['admin.clusterId:before:1:kill'])
  const { exit } = await cli.result
  assert.equal(exit, 'SIGKILL')
  cli.assertAllFired()
})

test('a fault that never fired fails the test that ordered it', async () => {
  const cli = new FaultyCli(['backup', '--help'], ['store.put:before:1:kill'])
  assert.equal((await cli.result).exit, 0)
  assert.throws(() => cli.assertAllFired(), /never fired/)
})

test('a process that stops itself is seen to, and goes on with SIGCONT', async () => {
  const fault = 'admin.clusterId:before:1:stop'
  const argv = ['backup', '--once', '--storage=file:///nowhere', '--bootstrap-server=127.0.0.1:1', '--metrics-port=0']
  const cli = new FaultyCli(argv, [fault, 'admin.clusterId:before:1:fail'])
  await cli.happened(fault)
  assert.equal(cli.process.exitCode, null)
  cli.process.kill('SIGCONT')
  assert.equal((await cli.result).exit, 5)
})
