import assert from 'node:assert/strict'
import { test } from 'node:test'
import { visibleConfigs } from '../../src/backup/topics/visible-configs.ts'
import type { ConfigEntry } from '../../src/kafka/port/admin.ts'
import { MaxbrodError } from '../../src/runtime/errors.ts'

/** A cluster that answers as Kafka does: one denied topic fails the request. */
function cluster(denied: readonly string[]) {
  let requests = 0
  const topicConfigs = async (names: readonly string[]): Promise<Map<string, ConfigEntry[]>> => {
    requests++
    if (names.some(name => denied.includes(name))) throw new MaxbrodError('KAFKA_AUTH', 'denied')
    return new Map(names.map(name => [name, []]))
  }
  return { admin: { topicConfigs }, requests: () => requests }
}

const names = Array.from({ length: 300 }, (_, n) => `topic-${n}`)

test('topics whose configs may not be seen are named, and hide no other', async () => {
  for (const denied of [[], ['topic-0'], ['topic-7', 'topic-8', 'topic-299'], names]) {
    const { admin } = cluster(denied)
    const { configs, hidden } = await visibleConfigs(admin, names)
    assert.deepEqual(hidden, denied)
    assert.deepEqual(
      [...configs.keys()],
      names.filter(name => !denied.includes(name)),
    )
  }
})

test('a few of them among hundreds cost few requests', async () => {
  const { admin, requests } = cluster(['topic-100'])
  await visibleConfigs(admin, names)
  assert.ok(requests() < 20, `${requests()} requests`)
})

test('other trouble is no sign of missing rights, and nothing is asked about no topic', async () => {
  const error = new MaxbrodError('KAFKA_GAVE_UP', 'no answer')
  await assert.rejects(visibleConfigs({ topicConfigs: () => Promise.reject(error) }, names), error)
  const { admin, requests } = cluster([])
  assert.deepEqual((await visibleConfigs(admin, [])).hidden, [])
  assert.equal(requests(), 0)
})
