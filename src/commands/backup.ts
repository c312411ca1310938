import { backupOptions } from '../backup/options.ts'
import { kafkaOptions } from '../kafka/options.ts'
import { metricsOptions } from '../observe/options.ts'
import { storageOptions } from '../storage/options.ts'
import { command } from './command.ts'
import { notBuilt } from './not-built.ts'

export const backup = command({
  name: 'backup',
  summary: 'copy topics into object storage: a worker, or once to the present ends',
  sections: [backupOptions, kafkaOptions, storageOptions, metricsOptions],
  examples: [
    {
      does: 'two topics into a folder, and end',
      line: '--once --topics orders --topics payments --storage file:///backup',
    },
    { does: 'a worker; start as many as you like', line: "--topics 'shop\\..*' --storage s3://bucket/shop" },
    { does: 'smaller files, sooner', line: '--max-file-age 1m --min-file-size 1MiB --storage s3://bucket/shop' },
  ],
  endsByItself: values => values.backup.once,
  run: () => notBuilt('backup'),
})
