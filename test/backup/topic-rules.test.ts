import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseTopicRules, readTopicRules } from '../../src/backup/topics/topic-rules.ts'
import { nodeDisk } from '../../src/runtime/node-disk.ts'

const rules = (text: string) => parseTopicRules(text, 'rules.conf')

test('of all rules whose regex matches the whole name of a topic, the first one holds, and alone', () => {
  const found = rules(
    `
# comments, and lines of any end\r
[orders|pay[a-z]{3,}ts]
min-file-size = 1MiB\r
  max-file-size=8MiB
max-file-records   =   10000
max-file-age = 30s

[orders.*]
; the tags of a topic that cannot be told by its name
storage-class = STANDARD_IA
tags = tier=cold, team = shop & co
`.replaceAll(' & ', ' + '),
  )
  assert.equal(found.count, 2)
  const limits = { minFileSize: 1_048_576, maxFileSize: 8_388_608, maxFileRecords: 10_000, maxFileAge: 30_000 }
  for (const topic of ['orders', 'payments']) assert.deepEqual(found.of(topic), { limits, keeping: undefined })
  const tags = new Map([
    ['tier', 'cold'],
    ['team', 'shop + co'],
  ])
  assert.deepEqual(found.of('orders.eu'), { limits: {}, keeping: { storageClass: 'STANDARD_IA', tags } })
  for (const topic of ['reorders', 'pay', 'ORDERS'])
    assert.deepEqual(found.of(topic), { limits: {}, keeping: undefined })
  assert.ok(found.saysHowToKeep)
  assert.ok(!rules('[a]\nmax-file-age = 1s').saysHowToKeep)
})

for (const [text, line, says, hint] of [
  ['max-file-age = 1m', 1, /before the first \[regex\]/, /begin with \[regex\]/],
  ['[a]\n\n# x\nmax-fileage = 1m', 4, /no setting 'max-fileage'/, /max-file-age/],
  ['[a]\ntoString = 1', 2, /no setting 'toString'/, /./],
  ['[a]\nmax-file-age = 5', 2, /has no unit/, /5s/],
  ['[a]\nmin-file-size = 1B', 2, /too small/, /1KiB/],
  ['[a]\nmax-file-age =', 2, /has no value/, undefined],
  ['[a]\nmax-file-age = 1m\nmax-file-age = 2m', 3, /said twice/, undefined],
  ['[a]\nmax-file-age', 2, /neither \[regex\] nor name = value/, undefined],
  ['[*]', 1, /'\*' is not a regular expression/, /\.\*/],
  ['[]', 1, /names no topics/, /\.\*/],
  ['[a]\nstorage-class = glacier', 2, /no storage class/, /STANDARD_IA/],
  ['[a]\nstorage-class = DEEP_ARCHIVE', 2, /nothing can be read without hours/, /GLACIER_IR/],
  ['[a]\ntags = cold', 2, /'cold' is no tag/, /tier=cold/],
  ['[a]\ntags = a=1, a=2', 2, /said twice/, undefined],
  ['[a]\ntags = a=<1>', 2, /what S3 does not take/, /letters/],
  [`[a]\ntags = ${Array.from({ length: 11 }, (_, n) => `t${n}=x`).join(',')}`, 2, /11 tags/, /10/],
  [`[a]\ntags = a=${'x'.repeat(257)}`, 2, /longer than 256/, undefined],
  ['[a]\nprefix = elsewhere', 2, /out of the backup/, /<topic>\/ already/],
] as const) {
  test(`a file of rules that says ${JSON.stringify(text.slice(0, 40))} is refused with its line and what to do`, () => {
    assert.throws(
      () => rules(text),
      (error: Error & { code: string; hint?: string }) => {
        assert.equal(error.code, 'USAGE')
        assert.ok(error.message.startsWith(`--topic-rules: rules.conf, line ${line}: `), error.message)
        assert.match(error.message, says)
        if (hint !== undefined) assert.match(String(error.hint), hint)
        return true
      },
    )
  })
}

test('a file of rules that is not there, or cannot be read, is named', async () => {
  await assert.rejects(readTopicRules(nodeDisk, '/nowhere/rules.conf'), { code: 'USAGE', message: /no file \/nowhere/ })
  await assert.rejects(readTopicRules(nodeDisk, '/'), { code: 'USAGE', message: /cannot read \// })
  assert.equal((await readTopicRules(nodeDisk, undefined)).count, 0)
})
