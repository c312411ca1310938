import { kafkaOptions } from '../kafka/options.ts'
import { plannerOptions } from '../planner/options.ts'
import { storageOptions } from '../storage/options.ts'
import { command } from './command.ts'
import { notBuilt } from './not-built.ts'

export const plan = command({
  name: 'plan',
  summary: 'prove that a backup is whole, and write the plan of a restore',
  sections: [plannerOptions, kafkaOptions, storageOptions],
  examples: [
    { does: 'what would be restored, and is it whole?', line: '--dry-run --storage s3://bucket/shop' },
    {
      does: 'one topic under another name',
      line: '--topics orders --rename orders=orders.restored --storage s3://bucket/shop',
    },
    {
      does: 'everything as it was at noon',
      line: '--at 2026-11-21T12:00:00Z --create-topics --storage s3://bucket/shop',
    },
  ],
  endsByItself: () => true,
  run: () => notBuilt('plan'),
})
