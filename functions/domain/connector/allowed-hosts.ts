/**
 * Whether an operator has allowed this address beside the vendor's own hosts. `allowedHosts` holds `HOST` (any port of it) and
 * `HOST:PORT`; for exactly these, http, any port and private addresses will do.
 */
export function isAllowedHost(url: URL, allowedHosts: readonly string[]): boolean {
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port
  const forms = [url.hostname, `${url.hostname}:${port}`]
  return allowedHosts.some((allowed) => forms.includes(allowed.toLowerCase()))
}
