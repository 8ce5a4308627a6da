import { type CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation'
import { StartupError } from '../local/services/startup-error.ts'

export interface StackOutputs {
  readonly account: string
  readonly region: string
  /** Throws `StartupError` if the stack has no such output. */
  output(name: string): string
}

/** The outputs of a stack: the names of its resources. Throws `StartupError` if it cannot be read. */
export async function stackOutputs(cloudFormation: CloudFormationClient, stackName: string): Promise<StackOutputs> {
  const { Stacks: [stack] = [] } = await cloudFormation.send(new DescribeStacksCommand({ StackName: stackName })).catch((error: Error) => {
    throw new StartupError(
      `The stack ${stackName} cannot be read: ${error.message}. Check its name, AWS_REGION, and your credentials (AWS_PROFILE).`,
    )
  })
  const outputs = new Map(stack?.Outputs?.map(({ OutputKey, OutputValue }) => [OutputKey, OutputValue]))
  const [, , , region = '', account = ''] = stack?.StackId?.split(':') ?? []
  return {
    account,
    region,
    output(name) {
      const value = outputs.get(name)
      if (value === undefined) throw new StartupError(`The stack ${stackName} has no output ${name}, so it is not a stack of Tributary.`)
      return value
    },
  }
}
