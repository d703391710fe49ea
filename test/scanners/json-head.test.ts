import { describe, expect, it } from 'vitest';
import { grypeFormat } from '../../src/scanners/grype/parse.ts';
import { jsonHead } from '../../src/scanners/json-head.ts';
import { nucleiFormat } from '../../src/scanners/nuclei/parse.ts';
import { sarifFormat } from '../../src/scanners/sarif/parse.ts';
import { trivyFormat } from '../../src/scanners/trivy/parse.ts';
import { zapJsonFormat } from '../../src/scanners/zap/json.ts';

const FORMATS = [nucleiFormat, trivyFormat, grypeFormat, sarifFormat, zapJsonFormat];
const formatsOf = (text: string): string[] =>
  FORMATS.filter((format) => format.detect(Buffer.from(text))).map(({ name }) => name);

describe('the head of a JSON file', () => {
  it('shows its keys with their texts, down to the third level', () => {
    const head = jsonHead(Buffer.from('\uFEFF{"a":"x","b":[{"c":{"d":{"e":{"f":1}}}},{"g":[2]}],"h":{},"i":tru'));
    expect(head?.root).toBe('object');
    expect([...(head?.paths ?? [])]).toEqual([
      ['a', 'x'],
      ['b', undefined],
      ['b[]', undefined],
      ['b[].c', undefined],
      ['b[].c.d', undefined],
      ['b[].g', undefined],
      ['b[].g[]', undefined],
      ['h', undefined],
      ['i', undefined],
    ]);
  });

  it('is of one format, also when it is cut anywhere behind its first keys', () => {
    const heads: [string, string][] = [
      ['nuclei', '{"template-id":"x","info":{"name":"y"'],
      ['nuclei', '[ {"template":"t","template-id":"x","info":{'],
      ['nuclei', '{"templateID":"x","info":{}}\n{"templateID":"z"'],
      ['trivy', '{"SchemaVersion":2,"CreatedAt":"2024","ArtifactName":"a'],
      ['trivy', '[{"Target":"a","Type":"npm","Vulnerabilities":[{'],
      ['grype', '{"matches":[{"vulnerability":{"id":"CVE'],
      ['grype', '{"descriptor":{"name":"grype","version":"1"},"matches":['],
      ['sarif', '{"runs":[{"tool":{"driver":{"name":"x"'],
      ['sarif', '{"$schema":"https://json.schemastore.org/sarif-2.1.0.json","version":"2.1.0","ru'],
      ['zap', '{"@programName":"ZAP","@version":"2.16","@generated":"x","site":['],
      ['zap', '{"site":[{"@name":"http://a'],
    ];
    for (const [name, text] of heads) expect({ text, formats: formatsOf(text) }).toEqual({ text, formats: [name] });
  });

  it('is not fooled by the names of formats in texts, or deeper than they stand', () => {
    const names = [
      'template-id',
      'info',
      'SchemaVersion',
      'ArtifactName',
      'matches',
      'vulnerability',
      'runs',
      'tool',
      '@version',
      '@generated',
      'site',
      '@name',
    ];
    expect(formatsOf(JSON.stringify(names))).toEqual([]);
    expect(formatsOf(JSON.stringify({ text: names.map((name) => `"${name}":`).join() }))).toEqual([]);
    expect(formatsOf(JSON.stringify({ results: [Object.fromEntries(names.map((name) => [name, {}]))] }))).toEqual([]);
    expect(
      formatsOf('{"template-id":"x","info":{},"a":"{\\"runs\\":[{\\"tool\\":1}],\\"version\\":\\"2.1.0\\"}"}'),
    ).toEqual(['nuclei']);
  });

  it.each(['', '   ', '[]', '{}', 'null', '"x"', '<xml/>', '{"', '{"a', '\u0000', '}{', ']]]', '{"a":{"a":{"a":'])(
    'is of none in %j',
    (text) => {
      expect(formatsOf(text)).toEqual([]);
    },
  );

  it('is looked at in linear time whatever it holds', () => {
    const size = 64 << 10;
    for (const unit of ['"', '\\"', '{"a":', '[', '{"k":1,', '"\\', ',', '1 '])
      expect(formatsOf(`{"x":${unit.repeat(size / unit.length)}`)).toEqual([]);
  });
});
