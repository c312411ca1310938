import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runCli } from '../helpers/cli.ts'
import { runCommand } from '../helpers/in-process.ts'

test('config show prints what a command would get from flags and environment, under any name of the command', async () => {
  const env = { S3_BUCKET: 'bucket', S3_PREFIX: 'shop', MIN_FILE_SIZE: '1MiB' }
  const { exit, stdout, stderr } = await runCli(['config', 'show', 'topics-backup', '-topics-regex', 'a,b'], { env })
  assert.deepEqual([exit, stderr], [0, ''])
  const rows = new Map(stdout.split('\n').map(line => [/^\S*/.exec(line)?.[0], line.split(/ {2,}/).slice(1)]))
  assert.deepEqual(rows.get('--topics'), ['a,b', 'flag --topics-regex'])
  assert.deepEqual(rows.get('--min-file-size'), ['1MiB', 'variable MIN_FILE_SIZE'])
  assert.deepEqual(rows.get('--storage'), ['s3://bucket/shop', 'variable S3_BUCKET'])
  assert.deepEqual(rows.get('--max-file-age'), ['5m', 'default'])
})

test('config show -o json is one document', async () => {
  const { exit, json } = await runCommand(['config', 'show', 'plan', '--storage=file:///x', '--topic=a/b'])
  assert.equal(exit, 0)
  const options = json['options'] as { flag: string; values: string[]; name?: string }[]
  const rename = options.find(({ flag }) => flag === '--rename')
  assert.deepEqual([rename?.values, rename?.name], [['a=b'], '--topic'])
  assert.deepEqual([json['of'], json['result']], ['plan', 'ok'])
})

for (const [argv, message] of [
  [['config', 'show'], 'config shows the options of a command'],
  [['config', 'set', 'backup'], 'config shows the options of a command'],
  [['config', 'show', 'bakup'], "unknown command 'bakup'"],
  [['config', 'show', 'backup'], '--storage is missing'],
  [['completion', 'tcsh'], "there is no completion for 'tcsh'"],
] as const) {
  test(`exit 2: maxbrod ${argv.join(' ')}`, async () => {
    const { exit, json } = await runCommand(argv)
    assert.equal(exit, 2)
    assert.equal((json['error'] as { message: string }).message, message)
  })
}
