import { Duration } from 'aws-cdk-lib'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import { Queue, QueueEncryption, type QueueProps } from 'aws-cdk-lib/aws-sqs'
import type { Construct } from 'constructs'

interface Encrypted {
  /** Absent: a key that SQS manages. */
  readonly encryptionKey?: IKey
}

/**
 * A message is only a hint; the state decides. Its claim ends after 15 minutes (`claimEnd` in functions/domain/dispatch.ts), so a failing
 * message must reach the dead-letter queue earlier. It does so after 13: a delay of up to 1 minute, then two attempts of 6 minutes each. With the usual
 * visibility of 6 × the function's time-out it would expire first. If a message comes back too early, the lease stops the second run.
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

/** Which work failed: a run, or a change of a connector. A failed tick leaves nothing, because the next one does its work. */
export type DeadLetterKind = 'work' | 'changes'

/** Keeps failed messages for a person, for 14 days. */
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
