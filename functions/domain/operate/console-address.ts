/** The address of a page of AWS's console. The console of each partition has a domain of its own. */
export function consoleAddress(region: string, path: string): string {
  if (region.startsWith('cn-')) return `https://${region}.console.amazonaws.cn/${path}`
  const domain = region.startsWith('us-gov-') ? 'console.amazonaws-us-gov.com' : 'console.aws.amazon.com'
  return `https://${region}.${domain}/${path}`
}

/** The editor of Athena, for a query that is pasted there. */
export function queryEditorAddress(region: string): string {
  return consoleAddress(region, `athena/home?region=${region}#/query-editor`)
}
