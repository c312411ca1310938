/**
 * Where the parts of one record lie in an Avro block. One object is filled again for each record, so that nothing is
 * allocated per record. Fields have the form `length, bytes`, which Kafka shares with Avro; null is empty (start = end).
 */
export interface RecordSpans {
  offset: number
  timestamp: number | bigint
  keyStart: number
  keyEnd: number
  valueStart: number
  valueEnd: number
  /** How many headers there are, and where their array or map begins. */
  headers: number
  headersStart: number
}

export function newRecordSpans(): RecordSpans {
  return { offset: 0, timestamp: 0, keyStart: 0, keyEnd: 0, valueStart: 0, valueEnd: 0, headers: 0, headersStart: 0 }
}
