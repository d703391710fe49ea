import type { Occurrence } from '../model/finding.ts';
import { cleanUntrusted } from '../model/untrusted.ts';
import { isPlain } from './plain-text.ts';

/**
 * Ways in which text of a scanned system talks to a model instead of about itself. A hit is a warning, not a verdict:
 * the text is shown as untrusted either way. Patterns run over text without invisible characters; every repetition in
 * them is bounded, because the text is hostile.
 */
const PATTERNS: Readonly<Record<string, RegExp>> = {
  instruction_override:
    /\b(?:ignore|disregard|forget|override)\b[^.\n]{0,30}\b(?:previous|prior|above|earlier|preceding|all|your)\b[^.\n]{0,30}\b(?:instructions?|prompts?|rules|directions|guidelines|context)\b|\bnew (?:system )?instructions\s*:/i,
  role_tag:
    /<\/?\s*(?:system|assistant|user|tool_result|function_results?)\s*>|<\|(?:im_start|im_end|system|assistant|user|endoftext)\|>|\[\/?INST\]|<<\/?SYS>>|(?:^|\n)[ \t]{0,8}#{0,3}[ \t]{0,4}(?:assistant|system|human)[ \t]{0,4}:[ \t]{0,4}\S/i,
  tool_call_bait:
    /\b(?:call|invoke|use|run|execute)\b[^.\n]{0,25}\b(?:tools?|functions?|mcp|run_untrusted_scan|run_authenticated_scan|suppress_finding|cancel_scan|delete_schedule)\b[^.\n]{0,40}\b(?:with|now|to|and|on|immediately)\b|<\s*(?:tool_call|function_calls?|invoke)\b|"(?:tool_calls?|function_call)"\s*:/i,
  exfiltration_bait:
    /\b(?:send|post|upload|forward|transmit|exfiltrate|leak|submit|email)\b[^.\n]{0,60}\b(?:to|at|into)\b(?:[^\n]{0,20}(?:hxxps?|\[:\]\/\/|www\[)|[^\n]{0,40}@[\w-]{1,63}\.)/i,
  model_address:
    /\b(?:as an|you are an?|dear|attention|note to)\b[^.\n]{0,15}\b(?:ai|llm|language model|ai (?:agent|assistant|model)|chatbot)\b/i,
  markdown_image: /!\[[^\]\n]{0,200}\] ?\(/,
};

/**
 * Every text that one of the patterns is found in holds one of these: what the pattern cannot do without, chosen for being
 * rare in everyday output. Defanging makes none of them and breaks none. A pattern that is added
 * needs its word here; a test holds the two together.
 */
const HINT_WORD =
  /\b(?:ignore|disregard|forget|override|new (?:system )?instructions|mcp|tools?|functions?|run_untrusted_scan|run_authenticated_scan|suppress_finding|cancel_scan|delete_schedule|send|post|upload|forward|transmit|exfiltrate|leak|submit|email|as an|you are an?|dear|attention|note to)\b/i;
const HINT_ROLE = /\b(?:assistant|system|human)[ \t]{0,4}:/i;
const HINT_MARK =
  /<\/?\s*(?:system|assistant|user|tool_|function_|invoke)|<\||<<|\[\/?INST\]|"(?:tool_|function_)|!\[/i;
/** To look for one character costs a thirtieth of asking a pattern, and prose has few of these. */
const holdsMark = (text: string): boolean => text.includes('<') || text.includes('[') || text.includes('"');
const holdsHint = (text: string): boolean =>
  HINT_WORD.test(text) || (text.includes(':') && HINT_ROLE.test(text)) || (holdsMark(text) && HINT_MARK.test(text));
/** Escapes that `cleanUntrusted` wrote for characters nobody sees: zero-width, bidirectional, tags, fillers. */
const INVISIBLE_ESCAPE =
  /\\u\{(?:200[b-f]|202[a-e]|206[0-9a-f]|34f|115f|1160|3164|ffa0|180[b-f]|e00[2-7][0-9a-f]|e01[0-9a-f]{2})\}/g;
/** A byte order mark at the start, the joiner inside an emoji and the like are everyday things. */
const EVERYDAY_JOINER = /(?<=\p{Extended_Pictographic}(?:\\u\{fe0f\})?)\\u\{200d\}(?=\p{Extended_Pictographic})/gu;

const ANY_ESCAPE = /\\u\{[0-9a-f]{1,6}\}/g;

/** As a reader would see it: no hidden characters, look-alike forms folded, one line break for many. */
const readable = (text: string): string => text.replace(ANY_ESCAPE, '').normalize('NFKC');

/** Longer than any of the lines of a finding. */
const MAX_LINE = 4_000;

/** Links in lines are as they were; the patterns know them as they are shown elsewhere. */
const shownLine = (line: string): string => cleanUntrusted(line, MAX_LINE);

const isText = (value: unknown): value is string => typeof value === 'string';

const NO_SIGNALS: readonly string[] = [];

/** Sorted names of the patterns found in texts with their links defanged: the long way, by asking every pattern. */
export function signalsOfAll(texts: readonly string[]): readonly string[] {
  const seen = texts.map(readable);
  const names = Object.entries(PATTERNS)
    .filter(([, pattern]) => seen.some((text) => pattern.test(text)))
    .map(([name]) => name);
  const hides = texts.some((text) => text.replace(EVERYDAY_JOINER, '').search(INVISIBLE_ESCAPE) >= 0);
  return (hides ? [...names, 'hidden_text'] : names).toSorted();
}

/** The same, without asking where the answer is known: text in any language but English is rarely more than odd. */
const signalsIn = (texts: readonly string[]): readonly string[] =>
  texts.some((text) => text.includes('\\u{') || holdsHint(readable(text))) ? signalsOfAll(texts) : NO_SIGNALS;

const mayHoldHint = (text: unknown): text is string => isText(text) && holdsHint(text);
const mayHoldSignal = (text: unknown): text is string => isText(text) && (!isPlain(text) || holdsHint(text));

/**
 * Sorted names of the patterns found in the words of a cleaned rule: an engine keeps them free of the words of the
 * target, but a report made elsewhere may not.
 * @param words Title and description as lines, each of which is looked at alone.
 * @param arePlain Whether id and words are known to be plain.
 */
export function ruleSignals(ruleId: string, words: string, arePlain = false): readonly string[] {
  if (arePlain && !holdsHint(words) && !holdsHint(ruleId)) return NO_SIGNALS;
  const lines = [ruleId, ...words.split('\n')].filter(mayHoldSignal);
  return lines.length === 0 ? NO_SIGNALS : signalsIn(lines.map(shownLine));
}

/**
 * The same of what one finding has for itself: its place counts as well as its untrusted text.
 * @param arePlain Whether all its untrusted texts are known to be plain.
 */
export function occurrenceSignals(
  { untrusted, location, discriminator }: Pick<Occurrence, 'untrusted' | 'location' | 'discriminator'>,
  arePlain = false,
): readonly string[] {
  const texts = Object.values(untrusted).filter(arePlain ? mayHoldHint : mayHoldSignal);
  const lines = Object.values(location).filter(mayHoldSignal);
  if (mayHoldSignal(discriminator)) lines.push(discriminator);
  return texts.length + lines.length === 0 ? NO_SIGNALS : signalsIn([...texts, ...lines.map(shownLine)]);
}

/** Every name there can be, for docs and schemas. */
export const INJECTION_SIGNALS: readonly string[] = [...Object.keys(PATTERNS), 'hidden_text'].toSorted();
