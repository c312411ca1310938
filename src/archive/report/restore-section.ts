import { markup } from './html.ts'
import type { Html } from './html.ts'
import type { RestoredTopic, RestorePart } from './model.ts'
import { cut } from './topic-fold.ts'
import { count } from './words.ts'

/** Rows: the page has its size, and what is done needs no look. */
const TOPICS = 200
const NOTES = 20

/** How far a restore is: a bar for all of it, and one for each topic, those that lack most first. Pure. */
export function restoreSection({ title, status, says, topics, notes, ...all }: RestorePart): Html {
  return markup`<section class=restore aria-labelledby=restore><h2 id=restore>${cut(title)}</h2>
<p><b class=${status}>${status}</b> ${says}</p>
${bar('all records', all)}
${notes.length === 0 ? '' : markup`<ul>${notes.slice(0, NOTES).map(one => markup`<li>${cut(one, 1_000)}`)}</ul>`}
${topics.length === 0 ? '' : topicTable(topics)}
</section>
`
}

function topicTable(topics: readonly RestoredTopic[]): Html {
  const shown = topics.toSorted((a, b) => lacking(b) - lacking(a)).slice(0, TOPICS)
  const more = topics.length - shown.length
  return markup`<div class=scroll tabindex=0><table><caption>Topics of the restore<thead><tr><th>topic<th>partitions<th>planned<th>restored<th>progress<tbody>${shown.map(row)}</table></div>
${more > 0 ? markup`<p>and ${more} more topics, which lack no more than these</p>` : ''}`
}

function row(topic: RestoredTopic): Html {
  const { recordsPlanned, recordsRestored } = topic
  return markup`<tr><th>${topic.topic}<td>${topic.partitions}<td>${count(recordsPlanned)}<td>${count(recordsRestored)}<td>${percent(topic)} ${bar(topic.topic, topic)}`
}

type Counts = Pick<RestoredTopic, 'recordsPlanned' | 'recordsRestored'>

function bar(name: string, counts: Counts): Html {
  const { recordsPlanned, recordsRestored } = counts
  const max = Math.max(1, recordsPlanned)
  const value = recordsPlanned === 0 ? max : Math.min(recordsRestored, max)
  return markup`<progress max=${max} value=${value} aria-label="${name}: ${percent(counts)}"></progress>`
}

/** Never 100% of what is not whole. */
function percent({ recordsPlanned, recordsRestored }: Counts): string {
  if (recordsRestored >= recordsPlanned) return '100%'
  return `${Math.floor((recordsRestored * 100) / recordsPlanned)}%`
}

function lacking({ recordsPlanned, recordsRestored }: RestoredTopic): number {
  return recordsPlanned - recordsRestored
}
