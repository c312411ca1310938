import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LoggerOptions } from '../../src/observe/logger.ts'
import { newLogger } from '../../src/observe/logger.ts'
import { Redactor } from '../../src/observe/redact.ts'
import { MaxbrodError } from '../../src/runtime/errors.ts'
import { ManualClock } from '../helpers/manual-clock.ts'

function open(options: Partial<LoggerOptions> = {}) {
  const lines: string[] = []
  const log = newLogger({
    level: 'info',
    format: 'json',
    isColored: false,
    clock: new ManualClock(),
    redactor: new Redactor(),
    write: line => void lines.push(line),
    ...options,
  })
  return { log, lines }
}

const time = '2026-11-21T12:00:00.000Z'

test('an event is one JSON line with level, time, facts and message', () => {
  const { log, lines } = open()
  log.info({ topic: 'orders', partition: 3, bytes: 5 }, 'uploaded')
  assert.deepEqual(lines, [
    `{"level":"info","time":"${time}","topic":"orders","partition":3,"bytes":5,"message":"uploaded"}\n`,
  ])
})

test('an event is one line for people', () => {
  const { log, lines } = open({ format: 'text' })
  log.info({ topic: 'orders', partition: 3, note: 'two words', gap: { from: 1, to: 2 }, none: null }, 'uploaded')
  log.warn('short')
  assert.deepEqual(lines, [
    `${time} INFO  uploaded topic=orders partition=3 note="two words" gap={"from":1,"to":2} none=null\n`,
    `${time} WARN  short\n`,
  ])
})

test('levels below the chosen one are not written', () => {
  const { log, lines } = open({ level: 'warn', format: 'text' })
  log.debug('a')
  log.info('b')
  log.warn('c')
  log.error('d')
  assert.deepEqual(lines, [`${time} WARN  c\n`, `${time} ERROR d\n`])
})

test('the facts of a child stand in all its events', () => {
  const { log, lines } = open({ format: 'text' })
  log.child({ worker: 'a' }).child({ topic: 'orders' }).info('joined')
  assert.deepEqual(lines, [`${time} INFO  joined worker=a topic=orders\n`])
})

test('a name with control characters cannot begin a line of its own', () => {
  const { log, lines } = open({ format: 'text' })
  log.info({ key: 'a\nERROR all is lost', name: '\u001B[31m' }, 'listed\nERROR')
  assert.deepEqual(lines, [`${time} INFO  listed\\nERROR key="a\\nERROR all is lost" name="\\u001b[31m"\n`])
})

test('an error that somebody can act on is logged with code, hint, facts and causes, and without a stack', () => {
  const { log, lines } = open()
  const cause = new MaxbrodError('DISK', 'full', { path: '/x' })
  log.error({ err: new MaxbrodError('USAGE', 'wrong', { hint: 'do it right', topic: 'orders', cause }) }, 'ended')
  assert.deepEqual(JSON.parse(lines.join('')), {
    level: 'error',
    time,
    err: {
      code: 'USAGE',
      message: 'wrong',
      hint: 'do it right',
      topic: 'orders',
      cause: { code: 'DISK', message: 'full', path: '/x' },
    },
    message: 'ended',
  })
  const text = open({ format: 'text' })
  text.log.error({ err: new MaxbrodError('USAGE', 'wrong', { hint: 'do it right' }) }, 'ended')
  assert.deepEqual(text.lines, [`${time} ERROR ended err="USAGE: wrong · do it right"\n`])
})

test('a bug is logged with its stack, which people see on lines of its own', () => {
  const bug = new TypeError('x is not a function')
  bug.stack = 'TypeError: x is not a function\n    at here'
  const json = open()
  json.log.error({ err: bug }, 'ended')
  assert.deepEqual((JSON.parse(json.lines.join('')) as { err: unknown }).err, {
    message: bug.message,
    stack: bug.stack,
  })
  const text = open({ format: 'text' })
  text.log.error({ err: bug }, 'ended')
  assert.deepEqual(text.lines, [
    `${time} ERROR ended err="x is not a function"\n    TypeError: x is not a function\n        at here\n`,
  ])
})

for (const format of ['json', 'text'] as const) {
  test(`a secret is in no ${format} line, whoever put it there`, () => {
    const secret = 'cän"ary 1\\'
    const redactor = new Redactor()
    const { log, lines } = open({ format, redactor })
    for (const text of [secret, '48151623']) redactor.hide(text)
    const failed = new Error(`connecting to https://user:${encodeURIComponent(secret)}@host`)
    log.child({ login: secret }).error({ err: failed, bytes: 48_151_623, [secret]: 1 }, `with ${secret}`)
    const printed = lines.join('')
    for (const form of ['ary 1', 'ary%201', '48151623']) assert.equal(printed.includes(form), false, printed)
    assert.match(printed, /\[secret\]/)
    if (format === 'json') assert.doesNotThrow(() => JSON.parse(printed))
  })
}

test('of secrets that take each other’s place the newest are hidden, and those of a month cost no memory', () => {
  const redactor = new Redactor()
  redactor.hide('password')
  const hide = redactor.hideNewest()
  const token = (n: number) => `token-${n}-${'x'.repeat(10)}.`
  for (let n = 0; n < 3_000; n++) hide(token(n))
  assert.equal(redactor.clean(`password ${token(2_999)} ${token(2_998)}`), '[secret] [secret] [secret]')
  assert.equal(redactor.clean(token(0)), token(0))
})

test('colours are only for terminals', () => {
  const { log, lines } = open({ format: 'text', isColored: true })
  log.error({ a: 1 }, 'ended')
  assert.deepEqual(lines, [`\u001B[90m${time}\u001B[39m \u001B[31mERROR\u001B[39m ended \u001B[90ma=\u001B[39m1\n`])
})
