import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { Connection, internalFiles, kafkajsRequest, kafkajsRequests } from '../../src/kafka/kafkajs/internals.ts'
import { root } from '../runner/files.ts'

/**
 * src/kafka stands on the inside of kafkajs, which promises nothing about it. These are the files that were read line by
 * line. When one changes, read the change, see whether src/kafka/kafkajs/ still holds, and write down the new digest.
 */
const digests: Readonly<Record<(typeof internalFiles)[number], string>> = {
  'src/network/connection.js': '2a993b2e74421ca6d846efd59e4ba74b11100dbe7d40d0f52ea3218e917aafdd',
  'src/network/connectionStatus.js': 'a0464f790cd648400dd655a133ea6bf86d21affeb86bc959aec867d2e97ff63f',
  'src/network/socket.js': '9922c37e8a4d9e6b040e3bf8d6d74ca9f4c39c3c875deadc0f9dc5052e714ebe',
  'src/broker/saslAuthenticator/index.js': '535765470e1172399633a8cd8238212c0fbcda859980d09ced42a8b7184e429b',
  'src/broker/saslAuthenticator/plain.js': '291dac5bdde12c4c0fbe6fe4a6c3f4d307b7e251b364788650042dc3a13a11ff',
  'src/broker/saslAuthenticator/scram.js': 'f85d2cfe3c99d14a4f9f0b67c5f7457ac2affbfdfd4c0af7debbb61e969f2db5',
  'src/broker/saslAuthenticator/scram256.js': 'cdbc147ee965aefd0e53db01b3b175defbf08fb8a5039899fd0fb8bd1fcf8405',
  'src/broker/saslAuthenticator/scram512.js': '7a7ce87c7b68ffb872115456e24fc132d6ac1f232acadd5f7b4edfdb00c395d4',
  'src/protocol/encoder.js': '9977889e184a9e910e4f6098c36ec6a0ca36c183aa6ead0f24191b6aa1c9a777',
  'src/protocol/decoder.js': '83c43fac8d6b8ef2dcf0dfe8bc4494e84c2c94d2b59fbe41a670505a5fcba41b',
  'src/protocol/requests/index.js': 'fd26a30565d7f0c14883140b7f4edadc42f34278a5f40084009b940c858ea2fd',
  'src/protocol/requests/apiKeys.js': '3b45eaab564cb47d512fde51dffa29aa6f01d8b2124c43319d223a0d583524f6',
}

/** One digest over all files below src/ of the package: what the files above load is the rest of it. */
const packageDigest = '70525513da01de731f713381e4963828846b4b420403cdad8bf85ea3532f288e'

const require = createRequire(import.meta.url)
const folder = dirname(require.resolve('kafkajs/package.json'))

test('kafkajs is version 2.2.4, to the letter', () => {
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string }
  assert.equal(version, '2.2.4')
  assert.deepEqual(Object.fromEntries(internalFiles.map(file => [file, sha256(file)])), digests)
  const files = readdirSync(join(folder, 'src'), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.js'))
    .map(name => `src/${name}`)
    .sort()
  const all = createHash('sha256')
  for (const file of files) all.update(`${file} ${sha256(file)}\n`)
  assert.equal(all.digest('hex'), packageDigest)
})

test('what is used of its connection is there', () => {
  const own = new Set<string>()
  for (const name of Object.getOwnPropertyNames(Connection.prototype)) own.add(name)
  const methods = ['connect', 'authenticate', 'isConnected', 'isAuthenticated', 'setVersions', 'nextCorrelationId']
  const overridden = ['send', 'processData', 'rejectRequests', 'setSupportAuthenticationProtocol']
  for (const name of [...methods, ...overridden]) assert.ok(own.has(name), name)
  const { CONNECTION_STATUS } = require('kafkajs/src/network/connectionStatus.js') as {
    CONNECTION_STATUS: { CONNECTED: string }
  }
  assert.equal(CONNECTION_STATUS.CONNECTED, 'connected')
})

test('every request that is used has a codec in its version', async () => {
  const args: Readonly<Record<keyof typeof kafkajsRequests, object>> = {
    ApiVersions: {},
    CreateTopics: { topics: [{ topic: 't', numPartitions: 1, replicationFactor: 1, configEntries: [] }], timeout: 1 },
    DeleteTopics: { topics: ['orders'], timeout: 1 },
    DescribeAcls: { resourceType: 2, resourcePatternType: 1, operation: 1, permissionType: 1 },
    DescribeConfigs: { resources: [{ type: 2, name: 't', configNames: [] }], includeSynonyms: false },
    GroupCoordinator: { groupId: 'g', coordinatorType: 0 },
    Heartbeat: { groupId: 'g', memberId: 'm', groupInstanceId: null, groupGenerationId: 1 },
    InitProducerId: { transactionalId: null, transactionTimeout: 1 },
    JoinGroup: { groupId: 'g', memberId: '', groupInstanceId: 'i', sessionTimeout: 1, groupProtocols: [] },
    LeaveGroup: { groupId: 'g', memberId: 'm', groupInstanceId: 'i' },
    OffsetFetch: { groupId: 'g', topics: [] },
    SyncGroup: { groupId: 'g', memberId: 'm', groupInstanceId: 'i', generationId: 1, groupAssignment: [] },
  }
  const apiKeys = require('kafkajs/src/protocol/requests/apiKeys.js') as Record<string, number>
  for (const [name, version] of Object.entries(kafkajsRequests) as [keyof typeof kafkajsRequests, number][]) {
    const { request, response } = kafkajsRequest(name, args[name])
    assert.equal(request.apiVersion, version, name)
    assert.equal(request.apiKey, apiKeys[name], name)
    assert.ok(Buffer.isBuffer((await request.encode()).buffer), name)
    assert.equal(typeof response.decode, 'function', name)
    assert.equal(typeof response.parse, 'function', name)
  }
})

test('to load src/kafka warns of nothing', () => {
  const program = `await import(${JSON.stringify(join(root, 'src/kafka/connect.ts'))})`
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] },
  })
  assert.deepEqual([stdout, stderr, status], ['', '', 0])
})

function sha256(file: string): string {
  return createHash('sha256')
    .update(readFileSync(join(folder, file)))
    .digest('hex')
}
