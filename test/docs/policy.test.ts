import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { generationKinds, generationName, sealKey, tileKey } from '../../src/format/keys.ts'
import {
  clusterKey,
  conflictKey,
  firstIncarnationKey,
  groupsKey,
  pointKey,
  pruneKey,
  raceKey,
  reportKey,
  topicsKey,
} from '../../src/format/system-keys.ts'

interface Statement {
  readonly Effect: 'Allow' | 'Deny'
  readonly Action: string | readonly string[]
  readonly Resource: string | readonly string[]
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

const page = await readFile(join(import.meta.dirname, '../../docs/security.md'), 'utf8')
const [bucket, roles] = [...page.matchAll(/```json\n(.*?)```/gs)].map(([, text]) => JSON.parse(text ?? '') as unknown)
const { Statement: ofBucket } = bucket as { readonly Statement: readonly Statement[] }
const ofRoles = roles as Readonly<Record<string, readonly Statement[]>>

/** As far as it is about who puts where: conditions on the request itself hold for all of our puts. */
function mayPut(role: string, key: string): boolean {
  const concerns = ({ Action, Resource }: Statement) =>
    [Action].flat().includes('s3:PutObject') &&
    [Resource].flat().some(one => isLike(one, `arn:aws:s3:::backups/${key}`))
  const isBarred = (one: Statement) => {
    const principals = one.Condition?.['ArnNotEquals']?.['aws:PrincipalArn']
    return principals !== undefined && !JSON.stringify(principals).includes(`/maxbrod-${role}`)
  }
  const own = (ofRoles[role] ?? []).filter(concerns)
  return (
    own.some(({ Effect }) => Effect === 'Allow') &&
    !own.some(({ Effect }) => Effect === 'Deny') &&
    !ofBucket.some(one => one.Effect === 'Deny' && concerns(one) && isBarred(one))
  )
}

function isLike(pattern: string, text: string): boolean {
  const escaped = pattern.split('*').map(part => part.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`))
  return new RegExp(`^${escaped.join('.*')}$`).test(text)
}

const place = { topic: 'orders', topicId: undefined, partition: 0, lineage: undefined }
const made = generationKinds.flatMap(kind => {
  const there = { ...place, generation: generationName(kind, 0) }
  return [tileKey(there, 0), tileKey(there, 0, true), sealKey(there)]
})
const ofWorkers = [
  tileKey(place, 0),
  tileKey(place, 0, true),
  tileKey({ ...place, topicId: 'Hx3y8Ra6RBe9-hFQXtB2Kg' }, 0),
  clusterKey,
  raceKey,
  firstIncarnationKey('orders'),
  topicsKey(0),
  groupsKey(0),
  pointKey(0),
  reportKey(0),
  conflictKey('a'.repeat(64)),
  conflictKey('a'.repeat(64), true),
]

test('the published policy lets each role put what its commands put, and nobody else give files up or stand in for them', () => {
  const may = { worker: ofWorkers, maker: made, pruner: [pruneKey(0)], reader: [] as string[] }
  assert.deepEqual(Object.keys(ofRoles).toSorted(), Object.keys(may).toSorted())
  for (const [role, keys] of Object.entries(may)) {
    for (const key of [...ofWorkers, ...made, pruneKey(0)])
      assert.equal(mayPut(role, `prod/${key}`), keys.includes(key), `${role}: ${key}`)
  }
  // What an identity policy forgets the bucket’s own forbids, for a backup without a prefix, too.
  for (const key of [...made, pruneKey(0)].flatMap(one => [one, `prod/${one}`]))
    assert.ok(
      ofBucket.some(
        ({ Effect, Resource, Condition }) =>
          Effect === 'Deny' &&
          Condition?.['ArnNotEquals'] !== undefined &&
          [Resource].flat().some(one => one !== 'arn:aws:s3:::backups/*' && isLike(one, `arn:aws:s3:::backups/${key}`)),
      ),
      key,
    )
})
