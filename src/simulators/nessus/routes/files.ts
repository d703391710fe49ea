import type { Answer } from '../answer.ts';
import { Refusal, json } from '../answer.ts';
import type { Call, Route } from '../call.ts';
import { scanOf } from '../operations.ts';
import { TEMPLATES } from '../templates.ts';
import { idOf } from './scan-writes.ts';

/** The file of a `multipart/form-data` body (RFC 7578). @throws Refusal 400 when there is none */
function uploadedFile({ headers, body }: Call): { name: string; content: Buffer } {
  const type = headers['content-type'];
  const boundary = /^multipart\/form-data;.*?\bboundary="?([^";]+)"?/i.exec(typeof type === 'string' ? type : '')?.[1];
  const missing = new Refusal(400, "Invalid 'Filedata' field");
  if (boundary === undefined) throw missing;
  const separator = Buffer.from(`\r\n--${boundary}`);
  // The first separator has no line before it.
  const whole = Buffer.concat([Buffer.from('\r\n'), body]);
  for (let at = whole.indexOf(separator); at !== -1;) {
    const next = whole.indexOf(separator, at + separator.length);
    if (next === -1) break;
    const part = whole.subarray(at + separator.length + 2, next);
    const end = part.indexOf('\r\n\r\n');
    const head = part.subarray(0, Math.max(0, end)).toString('utf8');
    const name = /name="Filedata"[^\r\n]*?filename="([^"\r\n]*)"|filename="([^"\r\n]*)"[^\r\n]*?name="Filedata"/i.exec(
      head,
    );
    if (name && end !== -1) return { name: plainName(name[1] ?? name[2] ?? ''), content: part.subarray(end + 4) };
    at = next;
  }
  throw missing;
}

/** Without a path: names come back in later requests. */
const plainName = (name: string): string => name.replace(/^.*[/\\]/, '') || 'file';

function upload(call: Call): Answer {
  const { name, content } = uploadedFile(call);
  return json({ fileuploaded: call.server.state.upload(name, Buffer.from(content)).name });
}

/** Secrets come back as stars. */
function editor(call: Call): Answer {
  const scan = scanOf(call.server, idOf(call));
  const template = TEMPLATES.find(({ uuid }) => uuid === scan.templateUuid);
  const types = new Map<string, Record<string, unknown>[]>();
  for (const { id, type, plain, secrets } of scan.credentials) {
    const stars = Object.fromEntries(Object.keys(secrets).map((field) => [field, '********']));
    types.set(type, [...(types.get(type) ?? []), { id, ...plain, ...stars }]);
  }
  return json({
    uuid: scan.templateUuid,
    name: template?.name ?? 'custom',
    title: template?.title ?? 'Custom Scan',
    owner: scan.owner,
    is_agent: false,
    settings: {
      basic: {
        inputs: [
          { id: 'name', default: scan.name },
          { id: 'description', default: scan.description },
          { id: 'text_targets', default: scan.targets },
        ],
      },
    },
    credentials: {
      data: [
        { name: 'Host', types: [...types].map(([name, instances]) => ({ name, instances, max: -1, settings: null })) },
      ],
    },
  });
}

export const FILE_ROUTES: readonly Route[] = [
  { method: 'POST', path: '/file/upload', handle: upload },
  { method: 'GET', path: '/editor/scan/{id}', handle: editor },
];
