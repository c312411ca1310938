import assert from 'node:assert/strict'
import { test } from 'node:test'
import { explain } from '../../src/config/explain.ts'
import { list } from '../../src/config/kinds-of-list.ts'
import { bytes } from '../../src/config/kinds-of-number.ts'
import { secret, text } from '../../src/config/kinds-of-text.ts'
import { section } from '../../src/config/section.ts'

const canary = 'canary-4711'
const own = section('own', {
  size: bytes({ default: '5MiB', doc: 'Size.' }),
  hosts: list({ doc: 'Hosts.' }),
  name: text({ env: ['KAFKA_NAME'], doc: 'Name.' }),
  whole: text({ composed: { of: ['name'], write: ({ name }) => [`whole ${String(name)}`] }, doc: 'Whole.' }),
  password: secret({ doc: 'Password.' }),
})

function read(argv: readonly string[], env: Readonly<Record<string, string>>) {
  return explain([own], { argv, env, readFile: () => `${canary}\n` })
}

test('every option is there as somebody would write it, with who says so', () => {
  const { options, warnings } = read(['--hosts=a', '--hosts', 'b,c'], { KAFKA_NAME: 'n', NAME: '', SIZE: ' ' })
  assert.deepEqual(options, [
    { flag: '--size', variable: 'SIZE', texts: ['5MiB'], from: 'default' },
    { flag: '--hosts', variable: 'HOSTS', texts: ['a', 'b,c'], from: 'flag', name: '--hosts' },
    { flag: '--name', variable: 'NAME', texts: ['n'], from: 'variable', name: 'KAFKA_NAME' },
    { flag: '--whole', variable: 'WHOLE', texts: ['whole n'], from: 'variable', name: 'KAFKA_NAME' },
    { flag: '--password-file', variable: 'PASSWORD', texts: [], from: 'default' },
  ])
  assert.deepEqual(warnings, [])
})

test('a secret is told to be there and no more, wherever it comes from', () => {
  for (const [argv, env, name] of [
    [[], { PASSWORD: canary }, 'PASSWORD'],
    [[], { PASSWORD_FILE: '/run/password' }, 'PASSWORD_FILE'],
    [['--password-file=/run/password'], {}, '--password-file'],
  ] as const) {
    const explanation = read(argv, env)
    assert.equal(JSON.stringify(explanation).includes(canary), false)
    const found = explanation.options.find(({ flag }) => flag === '--password-file')
    assert.deepEqual([found?.texts, found?.name], [['[secret]'], name])
  }
})

test('what the command would refuse or doubt is refused and doubted here', () => {
  assert.throws(() => read(['--size=much'], {}), { code: 'USAGE', message: "--size: 'much' is not a size" })
  assert.deepEqual(read([], { NAME: 'a', KAFKA_NAME: 'b' }).warnings, [
    'KAFKA_NAME is ignored because NAME is set, too',
  ])
})
