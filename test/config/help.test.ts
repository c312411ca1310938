import assert from 'node:assert/strict'
import { test } from 'node:test'
import { helpPage } from '../../src/config/help.ts'
import { regexList } from '../../src/config/kinds-of-list.ts'
import { bytes } from '../../src/config/kinds-of-number.ts'
import { looseRegexes } from '../../src/config/kinds-of-others.ts'
import { choice, flag, secret, text } from '../../src/config/kinds-of-text.ts'
import { section } from '../../src/config/section.ts'

const page = {
  program: 'maxbrod backup',
  summary: 'copy topics into object storage',
  sections: [
    section('backup', {
      topics: regexList({
        default: ['a', 'b'],
        foreign: [{ flag: 'topics-regex', kind: looseRegexes }],
        doc: 'Topics to back up, e.g. all of them. Whole names.',
      }),
      minFileSize: bytes({
        default: '5MiB',
        doc: 'Upload a file once it holds this much, or a bit more, or very much more.',
      }),
      idleAfter: bytes({ default: '1B', isAdvanced: true, doc: 'Rarely needed.' }),
      once: flag({ doc: 'End when all is backed up.' }),
    }),
    section('kafka', {
      bootstrapServer: text({ isRequired: true, placeholder: 'HOST:PORT', aliases: ['brokers'], doc: 'Brokers.' }),
    }),
    section('sasl', { saslPassword: secret({ doc: 'The file with the password.' }) }, { heading: 'Kafka' }),
    section('output', {
      output: choice(['table', 'json'], { aliases: ['o'], default: 'table', doc: 'How to print.' }),
    }),
  ],
  examples: [{ does: 'one topic into a folder', line: '--once --topics orders' }],
}

test('help has a line for each flag, in groups, with default and examples', () => {
  assert.equal(
    helpPage(page, { columns: 80, isComplete: false }),
    `maxbrod backup: copy topics into object storage

Usage: maxbrod backup --bootstrap-server HOST:PORT [flags]

Backup
  --topics REGEX                Topics to back up, e.g. all of them [a b]
  --min-file-size SIZE          Upload a file once it holds this much, or a bit
                                more, or very much more [5MiB]
  --once                        End when all is backed up

Kafka
  --bootstrap-server HOST:PORT  Brokers
  --sasl-password-file PATH     The file with the password

Output
  -o, --output table|json       How to print [table]

Examples
  # one topic into a folder
  maxbrod backup --once --topics orders

Flags are variables, too: --log-level is LOG_LEVEL. --help-all shows 1 more. All in docs/config.md
`,
  )
})

test('complete help has the rare flags as well', () => {
  assert.match(helpPage(page, { columns: 80, isComplete: true }), /--idle-after SIZE +Rarely needed \[1B\]/)
})

test('help shows what stands behind the flags without one of its own', () => {
  const usage = (isRequired: true | undefined) => {
    const file = text({ isOperand: true, placeholder: 'FILE', doc: 'File.', ...(isRequired && { isRequired }) })
    return helpPage({ ...page, sections: [section('look', { file })] }, { columns: 80, isComplete: false }).split(
      '\n',
    )[2]
  }
  assert.equal(usage(true), 'Usage: maxbrod backup [flags] FILE')
  assert.equal(usage(undefined), 'Usage: maxbrod backup [flags] [FILE]')
})
