import { AppError } from '../model/errors.ts';
import { isBareDoctype } from '../platform/xml-prolog.ts';
import { jsonHead } from './json-head.ts';
import { plainName } from './plain-name.ts';
import { HEAD_BYTES, type ReportFormat } from './report-format.ts';
import { xmlHead } from './xml-head.ts';

/**
 * The one format that a file is of, by its beginning.
 * @param head at most `HEAD_BYTES`; what is longer is not looked at
 * @throws AppError report_unreadable when it is none of them, or several: says what it looks like and lists the formats
 */
export function detectFormat(head: Buffer, formats: readonly ReportFormat[]): ReportFormat {
  const seen = head.subarray(0, HEAD_BYTES);
  const [found, ...others] = formats.filter((format) => format.detect(seen));
  const names = [...new Set(formats.map(({ name }) => name))].toSorted().join(', ');
  if (found === undefined) {
    throw new AppError('report_unreadable', `The file is no known report: it ${lookOf(seen)}.`, {
      hint: `Known formats: ${names}. If it is one of them, name it as format.`,
    });
  }
  if (others.length > 0) {
    const alike = [found, ...others].map(({ name }) => name).join(' and ');
    throw new AppError('report_unreadable', `The file looks like ${alike} alike.`, {
      hint: `Name its format. Known formats: ${names}.`,
    });
  }
  return found;
}

/** How files begin that are no text. */
const SIGNATURES: readonly (readonly [readonly number[], string])[] = [
  [[0x1f, 0x8b], 'is compressed with gzip; unpack it first'],
  [[0x50, 0x4b, 0x03, 0x04], 'is a zip archive (or an office document); unpack it first'],
  [[0x42, 0x5a, 0x68], 'is compressed with bzip2; unpack it first'],
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a], 'is compressed with xz; unpack it first'],
  [[0x28, 0xb5, 0x2f, 0xfd], 'is compressed with Zstandard; unpack it first'],
  [[0x25, 0x50, 0x44, 0x46], 'is a PDF; export the report as XML or JSON'],
  [[0xff, 0xfe], 'is in UTF-16; save it as UTF-8'],
  [[0xfe, 0xff], 'is in UTF-16; save it as UTF-8'],
];

/** What a file looks like, in words that follow "it". */
function lookOf(head: Buffer): string {
  if (head.length === 0) return 'is empty';
  const signature = SIGNATURES.find(([bytes]) => bytes.every((byte, at) => head[at] === byte));
  if (signature) return signature[1];
  // XML and JSON begin with ASCII: a zero byte there is a wide encoding without its mark.
  if (head[0] === 0 || head[1] === 0) return 'is in UTF-16 or binary; save it as UTF-8';
  if (head.includes(0)) return 'is binary';
  const text = head
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .trimStart();
  if (text === '') return 'holds nothing but white space';
  if (/^<(?:!doctype\s+html|html)\b/i.test(text)) return 'is an HTML page; export the report as XML or JSON';
  return lookOfXml(head) ?? lookOfJson(head) ?? 'is some other text';
}

/** One short word: more of them may be a sentence. */
const PLAIN_ROOT = /^[A-Za-z][A-Za-z0-9]{0,23}$/;

function lookOfXml(head: Buffer): string | undefined {
  const xml = xmlHead(head);
  if (xml === undefined) return undefined;
  if (xml.root.toLowerCase() === 'html') return 'is an HTML page; export the report as XML or JSON';
  if (declares(head)) return `is XML with a document type declaration (DTD), which is refused: it can declare entities`;
  return `is XML with ${PLAIN_ROOT.test(xml.root) ? `the root element ${xml.root}` : 'an unusual root element'}`;
}

/** Whether anything stands in a document type declaration, before the first element, besides the name of the root. */
function declares(head: Buffer): boolean {
  const text = head.toString('utf8');
  const [whole, inside = '', end] = /<!DOCTYPE([^>[]*)([>[])/.exec(text) ?? [];
  if (whole === undefined || text.indexOf(whole) > text.search(/<[A-Za-z_]/)) return false;
  return end === '[' || !isBareDoctype(inside);
}

const SHOWN_KEYS = 5;

function lookOfJson(head: Buffer): string | undefined {
  const json = jsonHead(head);
  if (json === undefined) return undefined;
  const keys = [...json.paths.keys()].filter((path) => !/[.[]/.test(path.replace(/^\[\]\.?/, ''))).slice(0, SHOWN_KEYS);
  const shown = keys.map((key) => named(key.replace(/^\[\]\.?/, ''))).filter((key) => key !== '');
  const kind = json.root === 'list' ? 'a JSON list' : 'JSON';
  return shown.length === 0 ? `is ${kind} without keys` : `is ${kind} with the keys ${shown.join(', ')}`;
}

/** The file may call its parts anything: only a plain name is repeated. */
const named = (name: string): string => (name === '' ? '' : (plainName(name) ?? '(unusual name)'));
