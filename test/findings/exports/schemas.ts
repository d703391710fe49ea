import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { z } from 'zod';
import formats from 'ajv-formats';

const require = createRequire(import.meta.url);
const Schema = z.record(z.string(), z.unknown());
const read = (path: string) => Schema.parse(JSON.parse(readFileSync(path, 'utf8')));

function withFormats<Checker extends Ajv | Ajv2020>(ajv: Checker): Checker {
  formats.default(ajv);
  // RFC 3987 allows more than RFC 3986; what we write must be a URI.
  const uriReference = /^[A-Za-z0-9\-._~:/?#@!$&'()*+,;=%[\]]*$/;
  ajv.addFormat('iri-reference', uriReference).addFormat('idn-email', true);
  return ajv;
}

/** The OASIS schema, out of the package of the SARIF SDK's own validator for this system. */
export function sarifValidator(): ValidateFunction {
  const program: unknown = require('@microsoft/sarif-multitool');
  const schema = read(join(dirname(z.string().parse(program)), 'sarif-2.1.0.json'));
  return withFormats(new Ajv2020({ strict: false })).compile(schema);
}

/** The schema of the CycloneDX project, out of its own library. */
export function cycloneDxValidator(): ValidateFunction {
  const folder = join(dirname(require.resolve('@cyclonedx/cyclonedx-library/package.json')), 'res', 'schema');
  const ajv = withFormats(new Ajv({ strict: false }));
  for (const name of ['spdx.SNAPSHOT.schema.json', 'jsf-0.82.SNAPSHOT.schema.json']) {
    // The library refers to them by the names of its own files.
    const { $id: _, ...schema } = read(join(folder, name));
    ajv.addSchema(schema, `http://cyclonedx.org/schema/${name}`);
  }
  return ajv.compile(read(join(folder, 'bom-1.6.SNAPSHOT.schema.json')));
}
