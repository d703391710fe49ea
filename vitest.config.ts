import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/property-seed.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // What is waited for comes at once on an idle machine; how late it may come on a busy one is no promise of the product.
    expect: { poll: { timeout: 25_000 } },
    // Two cores: more workers only make timing-sensitive process tests slower.
    maxWorkers: 2,
    pool: 'forks',
  },
});
