import type { Occurrence, RuleFacts } from '../model/finding.ts';
import { cleanUntrusted } from '../model/untrusted.ts';

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

/** Sorted names of the patterns found in texts with their links defanged. */
function signalsIn(texts: readonly string[]): string[] {
  const seen = texts.map(readable);
  const names = Object.entries(PATTERNS)
    .filter(([, pattern]) => seen.some((text) => pattern.test(text)))
    .map(([name]) => name);
  const hides = texts.some((text) => text.replace(EVERYDAY_JOINER, '').search(INVISIBLE_ESCAPE) >= 0);
  return (hides ? [...names, 'hidden_text'] : names).toSorted();
}

/**
 * Sorted names of the patterns found in the words of a cleaned rule: an engine keeps them free of the words of the
 * target, but a report made elsewhere may not.
 */
export const ruleSignals = ({ title, rule_id, description }: Pick<RuleFacts, 'title' | 'rule_id' | 'description'>) =>
  signalsIn([title, rule_id, description].filter(isText).map(shownLine));

/** The same of what one finding has for itself: its place counts as well as its untrusted text. */
export const occurrenceSignals = ({
  untrusted,
  location,
  discriminator,
}: Pick<Occurrence, 'untrusted' | 'location' | 'discriminator'>) =>
  signalsIn([
    ...[discriminator, ...Object.values(location)].filter(isText).map(shownLine),
    ...Object.values(untrusted).filter(isText),
  ]);

/** Every name there can be, for docs and schemas. */
export const INJECTION_SIGNALS: readonly string[] = [...Object.keys(PATTERNS), 'hidden_text'].toSorted();
