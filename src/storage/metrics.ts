import { counter, histogram, metricSet, secondsBuckets } from '../observe/metric-set.ts'

export const verbs = ['put', 'get', 'head', 'list', 'folders', 'delete'] as const

/** exists: a put of a key that is taken. left: a body or a listing that its reader did not want to the end. */
export const outcomes = ['ok', 'exists', 'missing', 'changed', 'temporary', 'refused', 'aborted', 'left'] as const

export const storageMetrics = metricSet('storage', {
  requestsTotal: counter('Requests to the object store, each attempt for itself; a listing or a body is one.', {
    verb: verbs,
    outcome: outcomes,
  }),
  sentBytesTotal: counter('Bytes of objects that the store took.'),
  receivedBytesTotal: counter('Bytes of objects that the store sent.'),
  requestSeconds: histogram('Time spent waiting for the object store, per request.', secondsBuckets, { verb: verbs }),
  retriesTotal: counter('Requests that were repeated, and bodies and listings that were resumed.', { verb: verbs }),
})
