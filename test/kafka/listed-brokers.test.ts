import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { once } from 'node:events'
import { test } from 'node:test'
import { withListedBrokers } from '../../src/kafka/listed-brokers.ts'
import { kafkaOptions } from '../../src/kafka/options.ts'
import { optionsOf } from '../helpers/options.ts'

const name = '_kafka._tcp.example.test'
const records = [
  { priority: 20, weight: 0, port: 9094, host: 'spare.example.test' },
  { priority: 10, weight: 1, port: 9092, host: 'light.example.test' },
  { priority: 10, weight: 9, port: 9093, host: 'heavy.example.test' },
]

test('brokers that a DNS server lists are asked in the order of priority and weight', async () => {
  await using dns = await startDns()
  const options = optionsOf(kafkaOptions, `-brokersDNSSrv=${name}`)
  const { bootstrapServer } = await withListedBrokers(options, asked => dns.resolver.resolveSrv(asked))
  assert.deepEqual(bootstrapServer, ['heavy.example.test:9093', 'light.example.test:9092', 'spare.example.test:9094'])
})

test('a name that the DNS does not know ends with exit code 5 and the name', async () => {
  await using dns = await startDns()
  const options = optionsOf(kafkaOptions, '--brokers-dns-srv=_kafka._tcp.other.test')
  await assert.rejects(
    withListedBrokers(options, asked => dns.resolver.resolveSrv(asked)),
    { code: 'KAFKA_UNREACHABLE', message: /under _kafka\._tcp\.other\.test \(.*ENOTFOUND/ },
  )
})

test('brokers that are named twice, once by the DNS and once by address, are refused; without the DNS nothing is asked', async () => {
  const nobody = () => assert.fail('nobody was to be asked')
  const both = optionsOf(kafkaOptions, `--brokers-dns-srv=${name}`, '--brokers=a:1')
  await assert.rejects(withListedBrokers(both, nobody), { code: 'USAGE' })
  const plain = optionsOf(kafkaOptions, '--brokers=a:1')
  assert.equal(await withListedBrokers(plain, nobody), plain)
})

/** A DNS server on loopback that knows one name. */
async function startDns() {
  const socket = createSocket('udp4')
  socket.on('message', (query, from) => socket.send(answerTo(query), from.port, from.address))
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const resolver = new Resolver({ tries: 1 })
  resolver.setServers([`127.0.0.1:${socket.address().port}`])
  return {
    resolver,
    [Symbol.asyncDispose]: () => new Promise<void>(done => socket.close(done)),
  }
}

function answerTo(query: Buffer): Buffer {
  const question = query.subarray(12, query.indexOf(0, 12) + 5)
  const isKnown = question.subarray(0, -4).equals(encoded(name))
  const answers = isKnown ? records.map(answerOf) : []
  const header = Buffer.alloc(12)
  query.copy(header, 0, 0, 2)
  header.writeUInt16BE(isKnown ? 0x8580 : 0x8583, 2)
  header.writeUInt16BE(1, 4)
  header.writeUInt16BE(answers.length, 6)
  return Buffer.concat([header, question, ...answers])
}

function answerOf({ priority, weight, port, host }: (typeof records)[number]): Buffer {
  const target = encoded(host)
  const head = Buffer.alloc(18)
  head.writeUInt16BE(0xc00c, 0) // the name of the question
  head.writeUInt16BE(33, 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt32BE(60, 6)
  head.writeUInt16BE(6 + target.length, 10)
  head.writeUInt16BE(priority, 12)
  head.writeUInt16BE(weight, 14)
  head.writeUInt16BE(port, 16)
  return Buffer.concat([head, target])
}

function encoded(host: string): Buffer {
  return Buffer.concat([
    ...host.split('.').flatMap(label => [Buffer.of(label.length), Buffer.from(label)]),
    Buffer.of(0),
  ])
}
