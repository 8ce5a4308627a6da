/**
 * Node's module `process`, in place of which each bundle has this one. An `import` of `node:process` reads all its exports, and some of them
 * load other modules of Node, which nothing here uses.
 */
export const { env, versions } = process
