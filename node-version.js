// Plain JavaScript, because every Node understands it. It runs before any TypeScript, so an old Node prints a sentence and not a stack trace.
const wanted = 24
const major = Number(process.versions.node.split('.')[0])
if (major < wanted) {
  process.stderr.write(
    `Tributary needs Node ${wanted} or newer; this is Node ${process.versions.node}.\n` +
      `On Linux x64 "npm ci" installs Node ${wanted}: run "npm ci", then "npm start", "npm test", "npx cdk" or "npx --no tributary" in this folder.\n` +
      `Elsewhere install Node ${wanted} from https://nodejs.org and run the command again.\n`,
  )
  process.exit(1)
}
