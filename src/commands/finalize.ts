import { finalizeOptions } from '../executor/finalize-options.ts'
import { runFinalize } from '../executor/finalize.ts'
import type { FinalizeResult, FinalizedTopic } from '../executor/finalize.ts'
import { kafkaOptions } from '../kafka/options.ts'
import { table } from '../observe/table.ts'
import { command } from './command.ts'
import type { Outcome } from './ending.ts'

export const finalize = command({
  name: 'finalize',
  summary: 'end a restore: give its topics their own configs back',
  sections: [finalizeOptions, kafkaOptions],
  examples: [
    { does: 'what would be set, and what would expire then?', line: '--dry-run' },
    { does: 'topics that lose nothing by it', line: '' },
    { does: 'all of them', line: '--yes --plan-topic maxbrod.plan.test' },
  ],
  endsByItself: () => true,
  async run(values, context) {
    const { clock, logger, stop } = context
    await using kafka = await context.openKafka(values.kafka, context)
    return outcomeOf(await runFinalize({ kafka, clock, log: logger }, values.finalize, stop.draining))
  },
})

function outcomeOf(result: FinalizeResult): Outcome {
  const { topics } = result
  const expiring = ({ expired }: FinalizedTopic) => expired.reduce((sum, { records }) => sum + records, 0)
  const rows = topics.map(topic => [topic.topic, topic.state, expiring(topic), topic.reason])
  const text = [
    topics.length === 0 ? 'this restore holds no topic\n' : table(['topic', 'state', 'records that expire', ''], rows),
    ...topics.flatMap(({ topic, remarks }) => remarks.map(remark => `${topic}: ${remark}\n`)),
  ].join('')
  const isDone = topics.every(({ state }) => ['finalized', 'would be', 'untouched'].includes(state))
  return { result: isDone ? 'ok' : 'partial', details: { ...result }, text }
}
