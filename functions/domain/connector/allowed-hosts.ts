/**
 * Whether the operator has allowed this address in addition to the vendor's own hosts. `allowedHosts` holds `HOST` (any port) and
 * `HOST:PORT`. For exactly these, http, any port and private addresses are allowed.
 */
export function isAllowedHost(url: URL, allowedHosts: readonly string[]): boolean {
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port
  const forms = [url.hostname, `${url.hostname}:${port}`]
  return allowedHosts.some((allowed) => forms.includes(allowed.toLowerCase()))
}
