import type { OpenFiles } from './open-files.ts';
import type { SimilarInput } from './searching.ts';

/** Shorter words are in too many ids. */
const SHORTEST = 3;

const LIKE_IT = `SELECT DISTINCT text FROM rule_name WHERE instr(lower(text), ?) > 0
  ORDER BY lower(text) <> ? AND NOT lower(text) LIKE '%:' || ?, length(text), text LIMIT ?`;

/** Rule ids of a file that have what follows the last colon of this one in them: the nearest first. */
export const similarRules = (files: OpenFiles, { file: path, rule, limit }: SimilarInput): Promise<readonly string[]> =>
  files.use(path, ({ db }) => {
    const word = ruleWord(rule);
    // What no text can hold is in none.
    if (word.length < SHORTEST || /\0|\p{Cs}/u.test(word)) return [];
    return db
      .prepare(LIKE_IT)
      .all(word, word, word, limit)
      .map(({ text }) => String(text));
  });

export const ruleWord = (rule: string): string =>
  rule
    .slice(rule.lastIndexOf(':') + 1)
    .trim()
    .toLowerCase();
