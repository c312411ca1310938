import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { coverArchive } from '../../../src/archive/coverage.ts'
import { coverageOptions } from '../../../src/archive/coverage-options.ts'
import type { Segment } from '../../../src/archive/cover.ts'
import { markup } from '../../../src/archive/report/html.ts'
import { pageOfCoverage } from '../../../src/archive/report/page-of-coverage.ts'
import { renderPage } from '../../../src/archive/report/page.ts'
import { policyOfPage, policyOfServer } from '../../../src/archive/report/style.ts'
import { stripSvg, sumSvg } from '../../../src/archive/report/strip-svg.ts'
import { openDirectoryStore } from '../../../src/storage/directory.ts'
import { runCli } from '../../helpers/cli.ts'
import { runCommand } from '../../helpers/in-process.ts'
import { optionsOf } from '../../helpers/options.ts'
import { hostileText, madeAtMs, mixed, sampleCoverage, samplePage, sampleRestore } from '../../helpers/sample-pages.ts'
import { storeOf, wholeFile } from '../../helpers/sound-archive.ts'
import { archiveDeps } from '../../helpers/verifying.ts'

const place = { topic: 'orders', topicId: undefined, partition: 0, lineage: undefined }
let folder: string
let storage: string

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'maxbrod-report-'))
  storage = `--storage=${String(pathToFileURL(join(folder, 'backup')))}`
  const files = [await wholeFile(place, 0, 20), await wholeFile(place, 40, 60)]
  const sound = { ...place, topic: 'users' }
  await storeOf([...files, await wholeFile(sound, 0, 20)], openDirectoryStore(join(folder, 'backup')))
})

after(() => rmSync(folder, { recursive: true }))

test('whatever is not made by a template is text: signs of HTML, of direction, and those that nobody sees', () => {
  const { text } = markup`<p title="${`"'<&>`}">${'\u202eabc\u0000\u200b'}${undefined}${[1, markup`<b>`]}`
  assert.equal(text, '<p title="&quot;&#39;&lt;&amp;&gt;">\\u{202e}abc\\u{0}\\u{200b}1<b>')
})

test('a hostile name gets no tag of its own into the page, wherever it stands', () => {
  const text = renderPage(
    samplePage(
      { topics: 1, partitions: 2, nameOf: () => hostileText, segmentsOf: () => [lost(hostileText)] },
      {
        title: hostileText,
        headline: hostileText,
        notes: [hostileText],
        writer: hostileText,
        restore: { ...sampleRestore, title: hostileText, says: hostileText, notes: [hostileText] },
      },
    ),
  )
  assert.ok(text.split('alert(1)').length > 10)
  assert.doesNotMatch(text, /<(script|img|base)|<a href=javascript|\u202e/)
})

test('the policy allows the style of the page and nothing else, and only a server can forbid frames', () => {
  const text = renderPage(samplePage({ topics: 1, partitions: 1 }))
  const [, inside = ''] = /<style>([^]*)<\/style>/.exec(text) ?? []
  const hash = createHash('sha256').update(inside).digest('base64')
  assert.equal(policyOfPage, `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`)
  assert.equal(policyOfServer, `${policyOfPage}; frame-ancestors 'none'`)
  assert.ok(text.includes(`<meta http-equiv=Content-Security-Policy content="${policyOfPage}">`))
  assert.doesNotMatch(text, /\sstyle=|\son\w+=|https?:/, 'nothing that the policy would refuse, no address')
})

test('3,000 partitions fit into 300 KB, each in its row; however much there is, what is wrong stays in the page', t => {
  const whole = renderPage(samplePage({ topics: 300, partitions: 10, segmentsOf: mixed }))
  t.diagnostic(`${Buffer.byteLength(whole)} bytes`)
  assert.ok(Buffer.byteLength(whole) < 300_000)
  assert.equal(whole.match(/<details/g)?.length, 300)
  const hard = { topics: 300, partitions: 10, isKafkaAsked: true, nameOf: (n: number) => `${n}-`.padEnd(249, 'x') }
  const restore = {
    ...sampleRestore,
    topics: Array.from({ length: 300 }, (_, n) => ({ ...sampleRestore.topics[0]!, topic: hard.nameOf(n) })),
  }
  for (const page of [
    samplePage({ ...hard, segmentsOf: n => mixed(n % 5) }),
    samplePage({ ...hard, segmentsOf: n => mixed(n % 5) }, { restore }),
    samplePage({ topics: 6_000, partitions: 1, segmentsOf: n => mixed(n - 5_000) }),
    samplePage({ topics: 1, partitions: 9_000, segmentsOf: n => mixed(n - 8_000) }),
  ]) {
    const text = renderPage(page)
    assert.ok(Buffer.byteLength(text) < 300_000, `${Buffer.byteLength(text)} bytes`)
    assert.match(text, /<b class=FAILURE>FAILURE<\/b>/)
    assert.ok(text.endsWith('</html>\n'))
  }
})

test('a topic that has no room for each of its partitions shows those that are all right together', () => {
  const text = renderPage(samplePage({ topics: 1, partitions: 9_000, segmentsOf: n => mixed(n - 4_000) }))
  assert.match(text, /<tr><th>0 to 3999<td>OK<td colspan=4>all of 4000 partitions/)
  assert.match(text, /<tr><th>4000<td><svg role=img aria-label="FOUND above 99%, LOST below 1%">/)
  assert.match(text, /<tr><th>4005 to 8999<td>OK/)
  assert.match(text, /<li>partition 4000: LOST offsets 400000 to 400006: no file has them/)
})

test('a strip shows the least that is missing, says it in words, and is nothing but its ground where nothing is', () => {
  assert.equal(stripSvg([segment('FOUND', 0, 9)]).text, '')
  const strip = stripSvg([segment('FOUND', 0, 999), segment('LOST', 999, 1_000), segment('LATE', 1_000, 2_000)]).text
  assert.equal(
    strip,
    '<svg role=img aria-label="FOUND 50%, LOST below 1%, LATE 50%"><rect class=x x=48% width=2% height=100% /><rect class=l x=50% width=50% height=100% /></svg>',
  )
  const all = sumSvg([
    [segment('FOUND', 0, 9)],
    [segment('GAP', 0, 5), segment('FOUND', 5, 10)],
    [segment('LOST', 0, 1), segment('FOUND', 1, 50)],
  ])
  assert.match(all.text, /^<svg role=img aria-label="somewhere GAP, LOST"><rect class=x x=0% width=2% /)
  assert.match(all.text, /<rect class=g x=2% width=48% /)
})

test('a bar is full only when all is there, and topics that lack most come first', () => {
  const topics = [999, 0, 1_000].map((recordsRestored, n) => ({
    topic: `t${n}`,
    partitions: '0 of 1',
    recordsPlanned: 1_000,
    recordsRestored,
  }))
  const restore = { ...sampleRestore, recordsPlanned: 1_000_000, recordsRestored: 999_999, topics }
  const text = renderPage(samplePage({ topics: 1, partitions: 1 }, { restore }))
  assert.match(text, /<progress max=1000000 value=999999 aria-label="all records: 99%">/)
  assert.deepEqual(
    [...text.matchAll(/aria-label="(t\d): (\d+%)"/g)].map(([, topic, share]) => `${topic} ${share}`),
    ['t1 0%', 't0 99%', 't2 100%'],
  )
})

test('a page tells of a restoration point that is late', () => {
  const found = sampleCoverage({ topics: 1, partitions: 1 })
  const notes = (isPointLate: boolean) =>
    pageOfCoverage({ ...found, isPointLate }, { nowMs: madeAtMs, isKafkaAsked: false }).notes
  assert.deepEqual(notes(false), [])
  assert.match(notes(true).join(), /restoration point is LATE \(5 minutes ago\): .*groups-backup/)
})

test('what a page tells is what coverage found: topics, offsets, records, and what is missing and why', async () => {
  const store = openDirectoryStore(join(folder, 'backup'))
  const found = await coverArchive(archiveDeps(store), optionsOf(coverageOptions), new AbortController().signal)
  const { coverage, headline, facts } = pageOfCoverage(found, { nowMs: madeAtMs, isKafkaAsked: false })
  assert.deepEqual(
    coverage.topics.map(({ name, status, ranges }) => [name, status, ...ranges]),
    [
      ['orders', 'FAILURE', 'partition 0: LOST offsets 20 to 39: no file has them'],
      ['users', 'OK'],
    ],
  )
  assert.match(
    coverage.topics[0]!.says,
    /^1 partition, 36 records, [\d.]+ (B|KiB), from 2023-11-14 to 2023-11-14 22:13$/,
  )
  assert.deepEqual(coverage.topics[0]!.partitions[0]!.cells.slice(0, 2), ['0 to 59', '36'])
  assert.match(
    headline,
    /^2 partitions are in the backup, the newest record is from 3(\.\d)? years ago · .* · 20 offsets are LOST$/,
  )
  const valueOf = (wanted: string) => facts.find(({ name }) => name === wanted)?.value
  assert.deepEqual(['topics', 'files', 'records', 'offsets lost'].map(valueOf), ['2', '3', '54', '20'])
})

test('report writes the page into a file, or to standard output, and ends like coverage: 4 on FAILURE, 10 without a file', async () => {
  const out = join(folder, 'report.html')
  const { exit, json } = await runCommand(['report', storage, `--out=${out}`])
  const page = readFileSync(out, 'utf8')
  assert.deepEqual(
    [exit, json['result'], json['status'], json['partitions'], json['bytes']],
    [4, 'failed', 'FAILURE', 2, Buffer.byteLength(page)],
  )
  assert.match(page, /^<!doctype html>/)
  const printed = await runCli(['report', storage, '--topics=users'])
  assert.equal(printed.exit, 0, printed.stderr)
  assert.match(
    printed.stdout,
    /^<!doctype html>[^]*<title>OK: Backup in file:[^]*<details><summary>users [^]*<\/html>\n$/,
  )
  assert.doesNotMatch(printed.stdout, /orders/)
  const mixedUp = await runCommand(['report', storage])
  assert.equal(mixedUp.exit, 2)
  assert.match(mixedUp.stderr, /with -o json standard output is for the result · name a file with --out/)
  assert.equal((await runCommand(['report', storage, '--topics=nothing', `--out=${out}`])).exit, 10)
  assert.equal(readFileSync(out, 'utf8'), page, 'the page from before is left alone')
})

function lost(reason: string): Segment {
  return { kind: 'LOST', from: 0, to: 9, reason }
}

function segment(kind: Segment['kind'], from: number, to: number): Segment {
  return { kind, from, to, reason: kind === 'FOUND' ? undefined : 'why' }
}
