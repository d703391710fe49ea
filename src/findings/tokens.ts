/** Weight of one token, in the sixths that both kinds of characters are counted in. */
const PER_TOKEN = 6;

/**
 * How many tokens a language model needs for a text, estimated from above: one for three ASCII characters, two for three
 * digits (ids, scores and addresses are what tokenizers split most), one for two UTF-8 bytes of anything else. English in
 * JSON is nearer to four characters; a Chinese character counts as 1.5, an emoji as 2. No tokenizer is asked, so that the
 * number is the same for every model and release; test/e2e/triage.test.ts compares it with one.
 */
export const estimateTokens = (text: string): number => tokensOf(textWeight(text));

/** Weights add up exactly; round only at the end, with `tokensOf`. */
export function textWeight(text: string): number {
  const nonAscii = text.match(/[\u0080-\uffff]+/g)?.join('') ?? '';
  return (text.length - nonAscii.length + digitsOf(text)) * 2 + Buffer.byteLength(nonAscii) * 3;
}

function digitsOf(text: string): number {
  let digits = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code >= 0x30 && code <= 0x39) digits += 1;
  }
  return digits;
}

export const tokensOf = (weight: number): number => Math.ceil(weight / PER_TOKEN);

/** Weight of a value as it stands in JSON, with the comma that follows it in a list. */
export const jsonWeight = (value: unknown): number => textWeight(JSON.stringify(value)) + 2;

/** What a page of `maxTokens` may weigh: without the brackets around the list. */
export const pageWeight = (maxTokens: number): number => maxTokens * PER_TOKEN - 4;
