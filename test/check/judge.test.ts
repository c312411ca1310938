import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judgeContacts, judgeEncryption } from '../../src/check/brokers.ts'
import { judgePlanTopic } from '../../src/check/plan-topic.ts'
import { NEEDS } from '../../src/check/purpose.ts'
import { judgeRights } from '../../src/check/rights.ts'
import { judgeArchive, judgeClock, judgeIdentity } from '../../src/check/storage.ts'
import { judgeTopics } from '../../src/check/topics.ts'
import { judgeRoom } from '../../src/check/working-dir.ts'
import type { Finding } from '../../src/check/finding.ts'

const day = 24 * 3_600_000
const now = Date.UTC(2026, 10, 26)
const all = new Set(['READ', 'WRITE', 'CREATE', 'DESCRIBE', 'DESCRIBE_CONFIGS', 'ALTER_CONFIGS'])
const without = (...operations: string[]) => all.difference(new Set(operations))
const lines = (findings: readonly Finding[]) =>
  findings.map(({ verdict, check, says }) => `${verdict} ${check}: ${says}`)

test('a broker that cannot be reached where it says is a failure that names the address', () => {
  const reached = { certificates: undefined, failure: undefined }
  const found = judgeContacts([
    { nodeId: 1, address: 'kafka-1:9092', ...reached },
    { nodeId: 2, address: 'kafka-2:9092', certificates: undefined, failure: 'no answer within 4 s' },
  ])
  assert.deepEqual(lines(found), [
    'FAIL listeners: broker 2 tells clients to use kafka-2:9092, which does not answer from here: no answer within 4 s',
  ])
  assert.match(found[0]!.fix ?? '', /advertised\.listeners/)
})

test('certificates are told by the days that are left: ended fails, a month warns', () => {
  const contact = (nodeId: number, brokerEndsAt: number) => ({
    nodeId,
    address: `kafka-${nodeId}:9093`,
    failure: undefined,
    certificates: { brokerEndsAt, ownEndsAt: now + 400 * day },
  })
  const found = judgeEncryption([contact(1, now + 90 * day), contact(2, now + 29 * day), contact(3, now - 1)], now)
  assert.deepEqual(
    found.map(({ verdict, check }) => `${verdict} ${check}`),
    [
      'OK certificate of kafka-1:9093',
      'OK own certificate',
      'WARN certificate of kafka-2:9093',
      'FAIL certificate of kafka-3:9093',
    ],
  )
})

test('plain text is worth a warning only where it leaves the machine', () => {
  const contact = (address: string) => ({ nodeId: 1, address, failure: undefined, certificates: undefined })
  assert.deepEqual(judgeEncryption([contact('localhost:9092'), contact('127.0.0.1:9092')], now), [])
  assert.deepEqual(lines(judgeEncryption([contact('kafka-1:9092')], now)), [
    'WARN encryption: connections are not encrypted: kafka-1:9092',
  ])
})

test('a missing right fails where nothing works without it, and warns where something is lost; each is named with its resource', () => {
  const asked = { topics: ['orders', 'payments'], group: 'maxbrod', planTopic: undefined }
  const topics = new Map([
    ['orders', without('DESCRIBE_CONFIGS')],
    ['payments', without('READ')],
  ])
  const found = judgeRights(NEEDS.backup, asked, { cluster: new Set(['DESCRIBE']), topics, group: new Set() })
  assert.deepEqual(lines(found), [
    'OK rights on the cluster: DESCRIBE on the cluster',
    'FAIL rights on topics: READ is missing on payments',
    'WARN rights on topics: DESCRIBE_CONFIGS is missing on orders: the configs of topics are not saved, so a restore cannot create them',
    'FAIL rights on the group: READ is missing on group maxbrod',
  ])
  assert.match(found[2]!.fix ?? '', /--add --allow-principal User:NAME --operation DescribeConfigs --topic orders$/)
})

test('rights that brokers do not tell are not taken for granted', () => {
  const asked = { topics: ['orders'], group: undefined, planTopic: undefined }
  const found = judgeRights(NEEDS['groups-restore'], asked, { cluster: undefined, topics: new Map(), group: undefined })
  assert.deepEqual(
    found.map(({ verdict }) => verdict),
    ['WARN'],
  )
})

test('an expression that matches nothing fails a backup, and not a restore into an empty cluster', () => {
  assert.equal(judgeTopics([], [], 'backup')[0]?.verdict, 'FAIL')
  assert.equal(judgeTopics([], [], 'restore')[0]?.verdict, 'OK')
})

test('a plan topic that Kafka would clean up is found before the plan is lost', () => {
  const topic = {
    name: 'p',
    topicId: undefined,
    isInternal: false,
    partitions: 8,
    replicationFactor: 3,
    error: undefined,
  }
  const config = (name: string, value: string) => ({ name, value, isOwn: true, isReadOnly: false })
  const verdict = (...configs: ReturnType<typeof config>[]) => judgePlanTopic('p', 'restore', topic, configs).verdict
  assert.equal(verdict(config('cleanup.policy', 'compact')), 'FAIL')
  assert.equal(verdict(config('cleanup.policy', 'delete'), config('retention.ms', '604800000')), 'WARN')
  assert.equal(verdict(config('cleanup.policy', 'delete'), config('retention.ms', '-1')), 'OK')
  assert.equal(judgePlanTopic('p', 'restore', undefined, []).verdict, 'FAIL')
  assert.equal(judgePlanTopic('p', 'plan', undefined, []).verdict, 'OK')
})

test('a worker refuses the archive of another cluster; a restore needs one, whoever it is of', () => {
  const archive = { clusterId: 'theirs', archiveId: 'a', createdAt: '2026-11-01T00:00:00.000Z' }
  const verdict = (...more: Parameters<typeof judgeArchive>) => judgeArchive(...more).verdict
  assert.equal(verdict('s3://b', archive, 'ours', NEEDS.backup), 'FAIL')
  assert.equal(verdict('s3://b', archive, 'theirs', NEEDS.backup), 'OK')
  assert.equal(verdict('s3://b', archive, 'ours', NEEDS.plan), 'OK')
  assert.equal(verdict('s3://b', undefined, 'ours', NEEDS.backup), 'OK')
  assert.equal(verdict('s3://b', undefined, 'ours', NEEDS.restore), 'FAIL')
})

test('the role of a machine, a wrong clock and a small disk are told', () => {
  const identity = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', accountId: '4711' } as const
  assert.equal(judgeIdentity({ ...identity, foundIn: 'instance' }).verdict, 'WARN')
  assert.deepEqual(judgeIdentity({ ...identity, foundIn: 'web identity' }), {
    check: 'identity',
    verdict: 'OK',
    says: 'access key AKIA…MPLE of account 4711, found in: web identity; its ARN: aws sts get-caller-identity',
  })
  const skew = (seconds: number) => judgeClock({ identity: undefined, skewMs: seconds * 1000 })[0]?.verdict
  assert.deepEqual([skew(2), skew(-61), skew(901)], ['OK', 'WARN', 'FAIL'])
  assert.equal(judgeRoom('/data', 6_000_000, 1).verdict, 'WARN')
  assert.equal(judgeRoom('/data', 7_000_000, 1).verdict, 'OK')
})
