import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newLogger } from '../../src/observe/logger.ts'
import { Redactor } from '../../src/observe/redact.ts'
import { visible } from '../../src/observe/visible.ts'
import { runOnTerminal } from '../helpers/in-process.ts'
import { ManualClock } from '../helpers/manual-clock.ts'

/** Sets the title, clears the screen, paints, and goes back to the beginning of the line. */
const hostile = '\u001B]0;title\u0007\u001B[2J\u009B31m\rall is well\u007F'
const control = /[\p{Cc}--[\n\t]]/v

test('control characters are shown, line ends and tabs stay, and JSON means the same', () => {
  assert.equal(visible('a\u001B[1mb\tc\n'), String.raw`a\u001b[1mb` + '\tc\n')
  assert.doesNotMatch(visible(hostile), control)
  assert.deepEqual(JSON.parse(visible(JSON.stringify({ hostile }))), { hostile })
})

test('what a command says of names that others have chosen moves no cursor, and neither does the stack of an error', async () => {
  const { stderr, exit } = await runOnTerminal(['inspect', `/nowhere/${hostile}`])
  assert.equal(exit, 2)
  assert.match(stderr, /all is well/)
  assert.doesNotMatch(stderr, control)
  const lines: string[] = []
  const rest = { level: 'info', isColored: false, clock: new ManualClock(), redactor: new Redactor() } as const
  newLogger({ ...rest, format: 'text', write: line => void lines.push(line) }).error(
    { err: new Error(hostile) },
    'failed',
  )
  assert.match(lines.join(''), /Error: .*all is well/)
  assert.doesNotMatch(lines.join(''), control)
})
