import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { aclCommand, grantOnTopic } from '../../src/kafka/port/acl-command.ts'

test('a hint about rights is the command that gives them, for whoever knows user and cluster', () => {
  assert.equal(
    grantOnTopic(['Describe', 'Read', 'Write'], 'maxbrod.plan'),
    'grant Describe, Read and Write on it: kafka-acls.sh --bootstrap-server HOST:9092 --add --allow-principal User:NAME --operation Describe --operation Read --operation Write --topic maxbrod.plan',
  )
  assert.match(
    grantOnTopic(['Write'], 'orders'),
    /^grant Write on it: kafka-acls\.sh .* --operation Write --topic orders$/,
  )
  assert.match(aclCommand(['Describe'], ['cluster']), / --operation Describe --cluster$/)
})

test('names stay one word each in a shell, whatever they are', () => {
  for (const group of ['a b', "it's", '$(x)', '*', 'a\nb'])
    assert.equal(
      execFileSync('sh', ['-c', `set -- ${aclCommand([], [{ group }])}; shift 6; printf %s "$*"`], {
        encoding: 'utf8',
      }),
      `--group ${group}`,
    )
})
