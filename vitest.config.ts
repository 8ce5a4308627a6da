import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // What needs more than Node: `npm run test:aws`.
    exclude: ['test/aws/**'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
