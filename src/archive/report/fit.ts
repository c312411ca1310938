import { markup, sizeOf } from './html.ts'
import type { Html } from './html.ts'
import type { TopicForms } from './topic-fold.ts'

/**
 * Fits the topics into so many bytes: each in the fullest form that leaves the others room for their shortest one, the first
 * ones first. Those for which not even that is left are counted, and `more` tells of them. Pure.
 */
export function fit(topics: readonly TopicForms[], bytes: number, more: string): Html {
  let room = bytes
  const shortest: { readonly html: Html; readonly bytes: number }[] = []
  for (const { forms } of topics) {
    const form = forms.at(-1)?.() ?? markup``
    const size = sizeOf(form)
    if (size > room) break
    room -= size
    shortest.push({ html: form, bytes: size })
  }
  const parts = shortest.map((short, n) => {
    for (const make of topics[n]?.forms.slice(0, -1) ?? []) {
      const form = make()
      const extra = sizeOf(form) - short.bytes
      if (extra > room) continue
      room -= extra
      return form
    }
    return short.html
  })
  const left = topics.slice(shortest.length).map(({ topic }) => topic.status)
  if (left.length === 0) return markup`${parts}`
  const counts = [...Map.groupBy(left, status => status)]
    .map(([status, { length }]) => `${length} ${status}`)
    .join(', ')
  return markup`${parts}<p>The page is full: of ${left.length} more topics (${counts}) <code>${more}</code> tells.</p>`
}
