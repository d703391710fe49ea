import { UNTRUSTED_CAPS } from '../../model/finding.ts';
import { listOf, objectOf, textOf, type JsonObject } from '../json-fields.ts';
import type { Component, SarifRule } from './rules.ts';

/** Of all arguments put in: one of many kilobytes may be named a thousand times. */
const MAX_ARGUMENTS = 2 * UNTRUSTED_CAPS.output;
const MAX_ARGUMENT = 2_000;

/**
 * The text of a message: its own (some tools write nothing but it), or that of the rule or component its `id` names, with its arguments put in.
 * `{{` and `}}` are braces. Source: SARIF 2.1.0, 3.11.
 */
export function messageOf(value: unknown, rule: SarifRule | undefined, component: Component): string | undefined {
  const message = objectOf(value);
  const text =
    textOf(value) ?? textOf(message['text']) ?? textOf(message['markdown']) ?? named(message, rule, component);
  return text === undefined ? undefined : filled(text, listOf(message['arguments']));
}

function named(message: JsonObject, rule: SarifRule | undefined, component: Component): string | undefined {
  const id = textOf(message['id']);
  if (id === undefined) return undefined;
  for (const messages of [rule?.messages, component.messages]) {
    if (!messages || !Object.hasOwn(messages, id)) continue;
    const { text, markdown } = objectOf(messages[id]);
    return textOf(text) ?? textOf(markdown);
  }
  return undefined;
}

function filled(text: string, words: readonly unknown[]): string {
  if (words.length === 0 && !text.includes('{{')) return text;
  let room = MAX_ARGUMENTS;
  return text.replace(/\{\{|\}\}|\{(\d{1,4})\}/g, (mark, digits: string | undefined) => {
    if (digits === undefined) return mark[0] ?? '';
    const word = textOf(words[Number(digits)])?.slice(0, Math.min(MAX_ARGUMENT, room)) ?? mark;
    room = Math.max(0, room - word.length);
    return word;
  });
}
