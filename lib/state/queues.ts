import { Duration } from 'aws-cdk-lib'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import { Queue, QueueEncryption, type QueueProps } from 'aws-cdk-lib/aws-sqs'
import type { Construct } from 'constructs'

interface Encrypted {
  /** Absent: a key of SQS. */
  readonly encryptionKey?: IKey
}

/**
 * Messages hint, state decides: one that is older than 15 minutes says nothing any more. So a message that fails must reach its
 * dead-letter queue before that: sent with a delay of up to 1 minute, and received twice for 6 minutes each, it is there after 13.
 * (The usual 6 × the function's time-out would let it expire unseen. A message that comes again too early finds the lease held.)
 */
export class WorkQueue extends Queue {
  constructor(scope: Construct, id: string, { encryptionKey, deadLetters }: Encrypted & { readonly deadLetters: Queue }) {
    super(scope, id, {
      ...encrypted(encryptionKey),
      retentionPeriod: Duration.minutes(15),
      visibilityTimeout: Duration.minutes(6),
      deadLetterQueue: { queue: deadLetters, maxReceiveCount: 2 },
    })
  }
}

/** Which work failed: a run, a change of a connector, or a tick. */
export type DeadLetterKind = 'work' | 'changes' | 'ticks'

/** What could not be done, kept for a person for 14 days. */
export class DeadLetterQueue extends Queue {
  constructor(scope: Construct, id: string, { encryptionKey }: Encrypted) {
    super(scope, id, { ...encrypted(encryptionKey), retentionPeriod: Duration.days(14) })
  }
}

function encrypted(encryptionMasterKey: IKey | undefined): QueueProps {
  return {
    enforceSSL: true,
    ...(encryptionMasterKey === undefined
      ? { encryption: QueueEncryption.SQS_MANAGED }
      : { encryption: QueueEncryption.KMS, encryptionMasterKey, dataKeyReuse: Duration.hours(1) }),
  }
}
