import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // They need Java, Maven and Python: `npm run test:aws` runs them.
    exclude: ['test/aws/**'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
