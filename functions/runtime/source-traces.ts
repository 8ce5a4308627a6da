import { readFileSync } from 'node:fs'
import { SourceMap } from 'node:module'

/**
 * Stack traces name the source files: each bundle begins with this module. Node's `--enable-source-maps` does the same, but it reads the map
 * at each cold start. Here the first trace that is looked at reads it.
 */
let map: SourceMap | undefined

type Origin = ReturnType<SourceMap['findOrigin']>

/** The place in the source; nothing if the frame is not of the bundle, or of no source. */
function originOf(frame: NodeJS.CallSite | undefined): Extract<Origin, { readonly fileName: string }> | undefined {
  if (frame?.getFileName() !== import.meta.url) return undefined
  map ??= new SourceMap(JSON.parse(readFileSync(`${import.meta.filename}.map`, 'utf8')))
  const origin = map.findOrigin(frame.getLineNumber() ?? 0, frame.getColumnNumber() ?? 0)
  return 'fileName' in origin ? origin : undefined
}

/** A function has its name where it is called, so in the next frame. */
function shown(frame: NodeJS.CallSite, caller: NodeJS.CallSite | undefined): string {
  const origin = originOf(frame)
  if (origin === undefined) return String(frame)
  const place = `${origin.fileName.replace(/^(\.\.\/)+/, '')}:${origin.lineNumber}:${origin.columnNumber}`
  const name = originOf(caller)?.name ?? frame.getFunctionName()
  return name ? `${name} (${place})` : place
}

Error.prepareStackTrace = (error, frames) => {
  const lines = (show: typeof shown) => [String(error), ...frames.map((frame, i) => `    at ${show(frame, frames[i + 1])}`)].join('\n')
  try {
    return lines(shown)
  } catch {
    // Without its map the bundle still says where it failed.
    return lines(String)
  }
}
