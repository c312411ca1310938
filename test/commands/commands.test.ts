import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { allCommands, commandTable } from '../../src/commands/command-table.ts'
import { commonSections } from '../../src/commands/common-sections.ts'
import { helpPage } from '../../src/config/help.ts'
import { parse } from '../../src/config/parse.ts'

const columns = 100
const linesMax = 50

for (const { name, summary, sections, examples } of await allCommands(commandTable)) {
  const page = { program: `maxbrod ${name}`, summary, sections: [...sections, ...commonSections], examples }

  test(`maxbrod ${name} is in the table under its name`, () => assert.ok(Object.hasOwn(commandTable, name)))

  test(`the help of maxbrod ${name} fits a screen`, () => {
    const lines = helpPage(page, { columns, isComplete: false }).trimEnd().split('\n')
    assert.ok(lines.length <= linesMax, `${lines.length} lines`)
    assert.deepEqual(
      lines.filter(line => line.length > columns),
      [],
    )
  })

  test(`the three examples of maxbrod ${name} can be typed`, () => {
    assert.equal(examples.length, 3)
    for (const { line } of examples) {
      const argv = words(line)
      assert.doesNotThrow(() => parse(page.sections, { argv, env: { STORAGE: 'file:///x' }, readFile: () => '' }), line)
      if (page.sections.some(section => section.name === 'storage')) assert.match(line, /--storage (s3|file):\/\/\S+/)
    }
  })
}

/** As a shell takes the line apart. */
function words(line: string): string[] {
  const { stdout } = spawnSync('sh', ['-c', `for word in ${line}; do printf '%s\\n' "$word"; done`], {
    encoding: 'utf8',
  })
  return stdout.split('\n').slice(0, -1)
}
