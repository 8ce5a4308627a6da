/** How a function is bundled, in the words of `NodejsFunction`: what is deployed, and what the bench measures. */
export const bundle = {
  mainFields: ['module', 'main'],
  target: 'node24',
  minify: true,
  sourceMap: true,
  sourcesContent: false,
  /**
   * What the SDK loads when it is needed, which is never: Lambda puts a role's credentials into the environment, and no API that the
   * functions call streams events. 150 KB of each bundle.
   */
  externalModules: [
    '@aws-sdk/credential-provider-http',
    '@aws-sdk/credential-provider-ini',
    '@aws-sdk/credential-provider-process',
    '@aws-sdk/credential-provider-sso',
    '@aws-sdk/credential-provider-web-identity',
    '@smithy/core/event-streams',
    '@smithy/credential-provider-imds',
  ],
  banner: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
}
