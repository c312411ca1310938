import type { KafkaErrorName, TroubleKind } from '../kafka-errors.ts'

/** A broker's error for one partition: its name in the protocol, and what it calls for. */
export interface Trouble {
  readonly name: KafkaErrorName
  readonly kind: TroubleKind
}
