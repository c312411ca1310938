import { MaxbrodError, messageOf, systemCodeOf } from '../../runtime/errors.ts'
import { KafkaError } from '../kafka-errors.ts'
import type * as Signed from 'aws-msk-iam-sasl-signer-js'
import type { MskIam } from '../sasl.ts'
import type { Token } from './kept-token.ts'

/** Signs a token with the AWS credentials of this process. Throws USAGE, and KafkaError when there are no credentials. */
export async function signToken(options: MskIam, brokers: readonly string[]): Promise<Token> {
  const region = options.region ?? regionOf(brokers)
  const { profile, roleArn, roleSessionName } = options
  const signer = await loadSigner()
  try {
    const { token, expiryTime } = await signer.generateAuthToken({
      region,
      ...(profile === undefined ? {} : { awsProfileName: profile }),
      ...(roleArn === undefined ? {} : { awsRoleArn: roleArn }),
      ...(roleSessionName === undefined ? {} : { awsRoleSessionName: roleSessionName }),
    })
    return { value: token, expiresAtMs: expiryTime }
  } catch (cause) {
    const detail = `no token for MSK with the AWS credentials of this process: ${messageOf(cause)}`
    throw new KafkaError('SASL_AUTHENTICATION_FAILED', 'Login', detail, cause)
  }
}

/** `b-1.orders.abc123.c2.kafka.eu-west-1.amazonaws.com`, and `…kafka-serverless.eu-west-1.amazonaws.com`. */
export function regionOf(brokers: readonly string[]): string {
  for (const broker of brokers) {
    const region = /\.kafka(?:-serverless)?\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$/.exec(broker)?.[1]
    if (region !== undefined) return region
  }
  throw new MaxbrodError('USAGE', '--command-config: the names of the brokers do not say which region of AWS this is', {
    hint: 'put awsRegion="eu-west-1" into sasl.jaas.config',
  })
}

type Signer = Pick<typeof Signed, 'generateAuthToken'>

/** Of Amazon; whoever needs it installs it beside us. */
async function loadSigner(): Promise<Signer> {
  try {
    return await import('aws-msk-iam-sasl-signer-js')
  } catch (cause) {
    if (systemCodeOf(cause) !== 'ERR_MODULE_NOT_FOUND') throw cause
    throw new MaxbrodError('USAGE', 'sasl.mechanism=AWS_MSK_IAM needs the package aws-msk-iam-sasl-signer-js', {
      cause,
      hint: 'npm install aws-msk-iam-sasl-signer-js, beside maxbrod',
    })
  }
}
