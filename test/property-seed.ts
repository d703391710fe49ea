import fc from 'fast-check';

/**
 * Properties meet the same cases in every run: a change is judged by what it does, not by chance. `npm run fuzz` gives
 * them others.
 */
const SEED = 20_261_121;

fc.configureGlobal({ seed: Number(process.env['SCANMUX_TEST_SEED'] ?? SEED) });
