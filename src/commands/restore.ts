import { executorOptions } from '../executor/options.ts'
import { kafkaOptions } from '../kafka/options.ts'
import { metricsOptions } from '../observe/options.ts'
import { storageOptions } from '../storage/options.ts'
import { command } from './command.ts'
import { notBuilt } from './not-built.ts'

export const restore = command({
  name: 'restore',
  summary: 'carry out a plan: put the records back, once and in order',
  sections: [executorOptions, kafkaOptions, storageOptions, metricsOptions],
  examples: [
    { does: 'restore and end; start several to go faster', line: '--exit-when-done --storage s3://bucket/shop' },
    { does: 'leave the cluster room to breathe', line: '--exit-when-done --max-rate 20MiB --storage s3://bucket/shop' },
    { does: 'a second restore beside the first', line: '--plan-topic maxbrod.plan.test --storage s3://bucket/shop' },
  ],
  endsByItself: values => values.restore.exitWhenDone,
  run: () => notBuilt('restore'),
})
