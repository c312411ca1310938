import { table } from '../../src/observe/table.ts'
import type { Hit, VolleyReport } from '../helpers/failpoint-volley.ts'
import { addVerdicts } from '../helpers/verdict.ts'

/** By verb: how often it was hit, and how many hits went wrong. */
export function hitsTable(hits: readonly Pick<Hit, 'fault' | 'failure'>[]): string {
  const columns = ['before', 'after'].flatMap(when => ['kill', 'stop'].map(effect => [when, effect] as const))
  const parts = hits.map(hit => {
    const [verb = '', when = '', call = '', effect = ''] = hit.fault.split(':')
    return { verb, when, call, effect, isBad: hit.failure !== undefined }
  })
  const rows = [...new Set(parts.map(({ verb }) => verb))].sort().map(verb => {
    const own = parts.filter(part => part.verb === verb)
    const counts = columns.map(
      ([when, effect]) => own.filter(part => part.when === when && part.effect === effect && !part.isBad).length,
    )
    const calls = [...new Set(own.map(({ call }) => Number(call)))].sort((a, b) => a - b).join(', ')
    return [verb, calls, ...counts, own.filter(({ isBad }) => isBad).length]
  })
  const headings = ['verb', 'calls', ...columns.map(([when, effect]) => `${when} ${effect}`), 'failed']
  return table(headings, rows)
}

/** The same of whole volleys; below it what came back, against what was acknowledged. */
export function matrixTable(volleys: readonly Partial<VolleyReport>[]): string {
  const verdicts = volleys.flatMap(({ verdict }) => (verdict === undefined ? [] : [verdict]))
  const silent = verdicts.reduce((sum, verdict) => sum + verdict.silent, 0)
  const sum = Object.entries({ ...addVerdicts(verdicts), silent }).map(([name, count]) => `${count} ${name}`)
  const records = volleys.reduce((total, volley) => total + (volley.records ?? 0), 0)
  const files = volleys.reduce((total, volley) => total + (volley.files ?? 0), 0)
  const last = `${records} records acknowledged, ${files} files in ${verdicts.length} backups restored: ${sum.join(', ')}`
  return `${hitsTable(volleys.flatMap(volley => volley.hits ?? []))}\n${last}`
}
