import type { VendorCard } from '../../domain/vendor.ts'

/** https://docs.trendmicro.com/en-us/documentation/article/cloud-app-security-integration-api-online-help-generating-an-authen */
export const card: VendorCard = {
  regions: [
    { title: 'United States (global)', host: 'api.tmcas.trendmicro.com' },
    { title: 'European Union', host: 'api-eu.tmcas.trendmicro.com' },
    { title: 'Japan', host: 'api.tmcas.trendmicro.co.jp' },
    { title: 'Australia and New Zealand', host: 'api-au.tmcas.trendmicro.com' },
    { title: 'United Kingdom', host: 'api.tmcas.trendmicro.co.uk' },
    { title: 'Canada', host: 'api-ca.tmcas.trendmicro.com' },
    { title: 'Singapore', host: 'api.tmcas.trendmicro.com.sg' },
    { title: 'India', host: 'api-in.tmcas.trendmicro.com' },
  ],
  baseUrlSteps: [
    'Log on to the management console of Cloud App Security, and look at the region in its address.',
    'Choose the same region below. A pasted address such as https://HOST/v1/siem/security_events is cut to https://HOST.',
  ],
  apiKeySteps: [
    'In the management console open Administration > Automation and Integration APIs.',
    'Press Add, and choose external applications as the target.',
    'Give the token a name, and select the API type Log Retrieval. Without that type the token has no permission for this API.',
    'Press Create Token, and store the token as a secret. This is the API key.',
    'Look whether each service that you want to collect is a target of an enabled policy: the API shows the events of those only.',
  ],
  keyPermission: 'an authentication token of the API type Log Retrieval',
  noEvents: 'Are the services in an enabled policy of the vendor’s console? Is real-time scanning on there?',
  keyLifeDays: 365,
  keysMax: 20,
  requestsPerMinute: 20,
  links: [
    {
      title: 'Generating an authentication token',
      url: 'https://docs.trendmicro.com/en-us/documentation/article/cloud-app-security-integration-api-online-help-generating-an-authen',
    },
    {
      title: 'The APIs of Cloud App Security',
      url: 'https://docs.trendmicro.com/en-us/documentation/article/cloud-app-security-integration-api-online-help-using-cloud-app-secu',
    },
  ],
}
