import { errorCodes } from '../../src/runtime/error-codes.ts'
import { generatedFrom, markdownTable } from './markdown.ts'

const exits: readonly (readonly [exit: string, meaning: string])[] = [
  ['0', 'Done; also when there was nothing to do. A worker that was asked to stop and did.'],
  ['1', 'Failed, in a way that none of the others names.'],
  ['2', 'A flag, a variable or a configuration file is wrong. Nothing was done.'],
  ['3', 'Finished, but something was left out: the result says what.'],
  ['4', 'Holes or corruption were found.'],
  ['5', 'Gave up after trying again for a while. Starting again may help.'],
  ['6', 'Refused, because going on would not be safe.'],
  ['10', 'There is no backup at that place.'],
  ['12', 'Kafka or the object store refused credentials or rights.'],
  ['130, 143', 'SIGINT, SIGTERM before the work was done; only of commands that end by themselves.'],
]

export function errorsPage(): string {
  const codes = Object.entries(errorCodes).map(([code, [exit, doc]]) => `### ${code}\n\nExit ${exit}. ${doc}\n`)
  return `${generatedFrom('src/runtime/error-codes.ts')}

# Errors

What somebody can act on is one line on standard error: \`maxbrod: CODE: what is wrong · what to do next\`. With \`-o json\` the same
stands on standard output as \`{"result": "failed", "error": {"code", "message", "hint", "facts", "exit"}}\`. Anything with a stack is
a bug: please report it.

## Exit codes

${markdownTable(['exit', 'meaning'], exits)}

A code that is not in this table must be treated as a failure.

## Codes

${codes.join('\n')}`
}
