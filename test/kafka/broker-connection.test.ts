import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { BrokerConnection } from '../../src/kafka/kafkajs/broker-connection.ts'
import { UnsentError } from '../../src/kafka/kafkajs/frame-connection.ts'
import { KafkaError } from '../../src/kafka/kafka-errors.ts'
import type { Call } from '../../src/kafka/protocol/call.ts'
import { BufferPool } from '../../src/runtime/buffer-pool.ts'
import { CountingPool } from '../helpers/counting-pool.ts'
import { eventually } from '../helpers/eventually.ts'
import { FakeBroker, frame } from '../helpers/fake-broker.ts'
import type { FakeRequest } from '../helpers/fake-broker.ts'
import { freePorts } from '../helpers/ports.ts'

test('an answer that comes byte by byte is whole, and answers that come in one piece are told apart', async () => {
  const held: FakeRequest[] = []
  await using broker = await FakeBroker.start(request => {
    held.push(request)
    if (held.length === 1)
      for (const byte of frame(request.correlationId, echo(request))) request.socket.write(Buffer.of(byte))
    if (held.length === 21) {
      const answers = held.slice(1).map(one => frame(one.correlationId, echo(one)))
      request.socket.write(Buffer.concat(answers))
    }
  })
  using connection = connectionTo(broker.port)
  assert.equal(await connection.send(say('one')), 'one')
  const words = Array.from({ length: 20 }, (_, n) => `word ${n}`)
  assert.deepEqual(await Promise.all(words.map(word => connection.send(say(word)))), words)
  assert.equal(broker.connections, 1)
})

test('an answer is given to the request whose correlation id it has, not to the next in line', async () => {
  const held: FakeRequest[] = []
  await using broker = await FakeBroker.start(request => {
    held.push(request)
    if (held.length === 3) for (const one of held.toReversed()) one.answer(echo(one))
  })
  using connection = connectionTo(broker.port)
  assert.deepEqual(await Promise.all(['a', 'b', 'c'].map(word => connection.send(say(word)))), ['a', 'b', 'c'])
})

test('an HTTP server is named as what it is not, at once', async () => {
  const server = createHttpServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  using connection = connectionTo((server.address() as AddressInfo).port)
  await assert.rejects(connection.send(say('hello')), failure('NETWORK_EXCEPTION', /'HTTP': this is no Kafka broker/))
  server.closeAllConnections()
  server.close()
})

test('a TLS listener that gets plain text is named at once', async () => {
  await using _ = await listen(socket => socket.once('data', () => socket.end(Buffer.from('15030300020250', 'hex'))))
  using connection = connectionTo(_.port)
  await assert.rejects(connection.send(say('hello')), failure('NETWORK_EXCEPTION', /this listener speaks TLS/))
})

test('a port where nobody listens fails at once, one that takes no part in the talk at its time-out; both leave nothing behind', async () => {
  const [port = 0] = await freePorts(1)
  using refused = connectionTo(port)
  await assert.rejects(refused.send(say('hello')), failure('NETWORK_EXCEPTION', /ECONNREFUSED/))

  await using silent = await listen(() => undefined)
  using connection = connectionTo(silent.port, { connectionTimeout: 200 })
  await assert.rejects(connection.send(say('hello')), failure('REQUEST_TIMED_OUT', /ApiVersions|Connect/))
  await eventually('the socket is closed', () => silent.sockets.size === 0)
})

test('a listener that hangs up fails the request at once, before, within and after an answer', async () => {
  for (const bytes of [0, 3, 7, 10]) {
    await using broker = await FakeBroker.start(request => {
      request.socket.end(frame(request.correlationId, echo(request)).subarray(0, bytes))
    })
    using connection = connectionTo(broker.port)
    await assert.rejects(
      connection.send(say('hello')),
      failure('NETWORK_EXCEPTION', /Say: NETWORK_EXCEPTION/),
      `${bytes} bytes`,
    )
  }
  await using hangsUp = await listen(socket => socket.end())
  using connection = connectionTo(hangsUp.port)
  await assert.rejects(connection.send(say('hello')), failure('NETWORK_EXCEPTION', /Connect to/))
})

test('after a broken connection the next request has a new one', async () => {
  let isBroken = true
  await using broker = await FakeBroker.start(request => {
    if (isBroken) request.socket.destroy()
    else request.answer(echo(request))
  })
  using connection = connectionTo(broker.port)
  await assert.rejects(connection.send(say('a')), KafkaError)
  isBroken = false
  assert.equal(await connection.send(say('b')), 'b')
  for (const socket of broker.sockets) socket.resetAndDestroy()
  assert.equal(await eventually('it connects again', () => connection.send(say('c'))), 'c')
})

test('a time-out closes the connection, so that its late answer is nobody’s, and those behind it fail', async () => {
  await using broker = await FakeBroker.start(request => {
    if (wordOf(request) === 'prompt') request.answer(echo(request))
  })
  using connection = connectionTo(broker.port)
  const slow = connection.send(say('slow'), { timeoutMs: 100 })
  const behind = connection.send(say('behind'))
  await Promise.all([
    assert.rejects(slow, failure('REQUEST_TIMED_OUT', /no answer within 100 ms/)),
    assert.rejects(behind, failure('NETWORK_EXCEPTION', /Say was not answered within 100 ms/)),
  ])
  await eventually('the socket is closed', () => broker.sockets.size === 0)
  const prompt = connection.send(say('prompt'))
  for (const request of broker.requests.slice(0, 2)) request.answer(echo(request)) // to a socket that is gone
  assert.equal(await prompt, 'prompt')
  assert.equal(broker.connections, 2)
})

test('destroy() fails what is on its way at once, at whatever moment it comes, and nothing waits for ever', async () => {
  await using broker = await FakeBroker.start(() => undefined)
  for (const isOpen of [false, true]) {
    for (let ticks = 0; ticks < 40; ticks++) {
      using connection = connectionTo(broker.port)
      if (isOpen) await connection.open()
      const sent = connection.send(say('hello'), { timeoutMs: 60_000 })
      for (let tick = 0; tick < ticks; tick++) await Promise.resolve()
      connection.destroy()
      await assert.rejects(sent, failure('NETWORK_EXCEPTION', /./), `${ticks} ticks`)
    }
  }
  await eventually('all sockets are closed', () => broker.sockets.size === 0)
})

test('what was destroyed connects anew; what was closed does not', async () => {
  await using broker = await FakeBroker.start(request => request.answer(echo(request)))
  using connection = connectionTo(broker.port)
  assert.equal(await connection.send(say('a')), 'a')
  connection.destroy()
  assert.equal(await connection.send(say('b')), 'b')
  assert.equal(broker.connections, 2)
  connection.close()
  await assert.rejects(connection.send(say('c')), UnsentError)
  assert.equal(broker.connections, 2)
})

test('the last question before the bytes leave is whether they may: a no sends nothing and harms nobody', async () => {
  await using broker = await FakeBroker.start(request => request.answer(echo(request)))
  using connection = connectionTo(broker.port)
  let asked = 0
  const mayWrite = () => {
    asked++
    assert.equal(broker.connections, 1, 'asked before it was connected')
    return false
  }
  await assert.rejects(connection.send(say('never'), { mayWrite }), UnsentError)
  assert.equal(asked, 1)
  assert.equal(await connection.send(say('after')), 'after')
  assert.deepEqual(broker.requests.map(wordOf), ['after'])
})

test('an answer that cannot be decoded is an error of that request, and the connection goes on', async () => {
  await using broker = await FakeBroker.start(request => request.answer(echo(request)))
  using connection = connectionTo(broker.port)
  const picky = { ...say('x'), decode: () => Buffer.alloc(0).readInt8(0) }
  await assert.rejects(connection.send(picky), failure('CORRUPT_MESSAGE', /Say: CORRUPT_MESSAGE/))
  assert.equal(await connection.send(say('y')), 'y')
  assert.equal(broker.connections, 1)
})

test('a version that the broker does not offer is not sent', async () => {
  await using broker = await FakeBroker.start(request => request.answer(echo(request)))
  using connection = connectionTo(broker.port)
  await assert.rejects(connection.send({ ...say('x'), version: 21 }), failure('UNSUPPORTED_VERSION', /version 21/))
  await assert.rejects(connection.send({ ...say('x'), apiKey: 90 }), failure('UNSUPPORTED_VERSION', /version 1/))
  assert.equal(broker.requests.length, 0)
  assert.equal(await connection.version(3, 12, 5), 12)
  assert.equal(await connection.version(3, 30, 5), 20)
  assert.equal(await connection.version(3, 30, 21), undefined)
  assert.equal(await connection.version(90, 1, 0), undefined)
})

test('buffers of large answers come back when they are disposed of, those of decoded ones at once', async () => {
  const large = Buffer.alloc(100 * 1024, 'x')
  await using broker = await FakeBroker.start(request => request.answer(large))
  const pool = new CountingPool()
  using connection = connectionTo(broker.port, {}, pool)
  for (let round = 0; round < 3; round++) {
    assert.equal((await connection.send(say('x'))).length, large.length)
    assert.equal(pool.taken, 0)
  }
  const answer = await connection.sendForFrame(say('x'))
  assert.equal(pool.taken, 1)
  answer[Symbol.dispose]()
  assert.equal(pool.taken, 0)
})

test('an idle connection has no timer', async () => {
  await using broker = await FakeBroker.start(request => request.answer(echo(request)))
  const before = timers()
  using connection = connectionTo(broker.port)
  assert.equal(await connection.send(say('x')), 'x')
  // Those that earlier tests left behind may end meanwhile.
  assert.ok(timers() <= before, `${timers()} timers, and ${before} before`)
})

// ---- calls that say a word, and listeners that answer with it

function say(word: string): Call<string> {
  return {
    apiKey: 3,
    apiName: 'Say',
    version: 1,
    pieces: [Buffer.from(word)],
    decode: payload => payload.toString(),
  }
}

function wordOf({ body }: FakeRequest): string {
  return body.toString()
}

function echo({ body }: FakeRequest): Buffer {
  return body
}

function connectionTo(port: number, settings: object = {}, pool = new BufferPool(0)): BrokerConnection & Disposable {
  const logger = { namespace: () => logger, error() {}, warn() {}, info() {}, debug() {} }
  const connection = new BrokerConnection({
    settings: {
      clientId: 'test',
      tls: null,
      sasl: null,
      connectionTimeout: 60_000,
      requestTimeout: 60_000,
      reauthenticationThreshold: 1_000,
      logger,
      ...settings,
    },
    host: '127.0.0.1',
    port,
    pool,
    readBytes: 4096,
  })
  return Object.assign(connection, { [Symbol.dispose]: () => connection.close() })
}

async function listen(onConnection: Parameters<typeof createServer>[1]) {
  const sockets = new Set<{ destroy(): void }>()
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.once('close', () => sockets.delete(socket))
    onConnection?.(socket)
    socket.resume()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    sockets,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

function failure(error: string, says: RegExp) {
  return (thrown: unknown) => {
    assert.ok(thrown instanceof KafkaError, String(thrown))
    assert.equal(thrown.error, error)
    assert.match(thrown.message, says)
    return true
  }
}

function timers(): number {
  return process.getActiveResourcesInfo().filter(kind => kind === 'Timeout').length
}
