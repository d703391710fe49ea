import { z } from 'zod';
import { RuleFacts } from '../../model/finding.ts';
import { openDatabase } from '../../platform/sqlite.ts';
import type { Database, Row } from '../../platform/sqlite.ts';
import type { ExportSource } from './source.ts';
import { judgementOf, productOf, VEX_STATUSES } from './vex-judgement.ts';
import type { VexJudgement, VexProduct } from './vex-judgement.ts';

/** Findings in one transaction. */
const BATCH = 5_000;

const SCHEMA = `
CREATE TABLE product (id INTEGER PRIMARY KEY, json TEXT NOT NULL UNIQUE);
CREATE TABLE judgement (id INTEGER PRIMARY KEY, json TEXT NOT NULL UNIQUE);
-- rule: facts of the most urgent finding of the CVE.
CREATE TABLE vulnerability (cve TEXT PRIMARY KEY, rule TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE stated (cve TEXT NOT NULL, product INTEGER NOT NULL, status INTEGER NOT NULL, judgement INTEGER NOT NULL,
  PRIMARY KEY (cve, product)) WITHOUT ROWID;`;
/** Made after the rows, so that they are sorted once. */
const BY_STATEMENT = 'CREATE INDEX by_statement ON stated (cve, status, judgement, product)';

const ProductJson = z.custom<VexProduct>((value) => typeof value === 'object' && value !== null);
const JudgementJson = z.custom<VexJudgement>((value) => typeof value === 'object' && value !== null);

/** One statement: a vulnerability, what holds for it, and the products it holds for. */
export interface VexStatement {
  readonly cve: string;
  /** What the most urgent finding of the CVE says of it. */
  readonly rule: RuleFacts;
  readonly judgement: VexJudgement;
  /** To be gone through before the next statement is asked for. */
  readonly products: Iterable<VexProduct>;
}

/** The findings of a scan by CVE, sorted on disk: neither CVEs nor places are bounded. */
export interface VexLedger {
  products(): Iterable<VexProduct>;
  statements(): Iterable<VexStatement>;
  close(): void;
}

function idOf(db: Database, table: 'product' | 'judgement', value: object): number {
  const json = JSON.stringify(value);
  db.prepare(`INSERT OR IGNORE INTO ${table} (json) VALUES (?)`).run(json);
  return Number(db.prepare(`SELECT id FROM ${table} WHERE json = ?`).get(json)?.['id']);
}

function fill(db: Database, source: ExportSource): void {
  const addVulnerability = db.prepare('INSERT OR IGNORE INTO vulnerability VALUES (?, ?)');
  const addStated = db.prepare(`INSERT INTO stated VALUES (?, ?, ?, ?) ON CONFLICT (cve, product)
    DO UPDATE SET status = excluded.status, judgement = excluded.judgement WHERE excluded.status < status`);
  let inBatch = 0;
  db.exec('BEGIN');
  for (const finding of source.findings()) {
    const { cves } = finding.rule;
    if (cves.length === 0) continue;
    const judgement = judgementOf(finding);
    const product = idOf(db, 'product', productOf(finding, source.header.scan.scan_id));
    const said = idOf(db, 'judgement', judgement);
    for (const cve of cves) {
      addVulnerability.run(cve, JSON.stringify(finding.rule));
      addStated.run(cve, product, VEX_STATUSES.indexOf(judgement.status), said);
    }
    inBatch += 1;
    if (inBatch % BATCH === 0) db.exec('COMMIT; BEGIN');
  }
  db.exec('COMMIT');
  db.exec(BY_STATEMENT);
}

const productFrom = ({ json }: Row): VexProduct => ProductJson.parse(JSON.parse(String(json)));

function* productsOf(rows: Iterable<Row>): Generator<VexProduct> {
  for (const row of rows) yield productFrom(row);
}

function* statements(db: Database): Generator<VexStatement> {
  const cves = db.prepare('SELECT cve, rule FROM vulnerability WHERE cve > ? ORDER BY cve LIMIT 1');
  const judgements = db.prepare(`SELECT s.status, s.judgement, j.json
    FROM (SELECT DISTINCT status, judgement FROM stated WHERE cve = ?) AS s JOIN judgement AS j ON j.id = s.judgement
    ORDER BY s.status, s.judgement`);
  const products = db.prepare(`SELECT p.json FROM stated AS s JOIN product AS p ON p.id = s.product
    WHERE s.cve = ? AND s.status = ? AND s.judgement = ? ORDER BY s.product`);
  for (let row = cves.get(''); row; row = cves.get(String(row['cve']))) {
    const cve = String(row['cve']);
    const rule = RuleFacts.parse(JSON.parse(String(row['rule'])));
    for (const said of judgements.all(cve)) {
      const judgement = JudgementJson.parse(JSON.parse(String(said['json'])));
      yield {
        cve,
        rule,
        judgement,
        products: productsOf(products.iterate(cve, Number(said['status']), Number(said['judgement']))),
      };
    }
  }
}

/** @param scratchPath A file that may be made here; the caller removes it. */
export function openVexLedger(source: ExportSource, scratchPath: string): VexLedger {
  const db = openDatabase(scratchPath, { journal: 'off', synchronous: 'off' });
  try {
    db.exec(SCHEMA);
    fill(db, source);
  } catch (error) {
    db.close();
    throw error;
  }
  return {
    *products() {
      yield* productsOf(db.prepare('SELECT json FROM product ORDER BY id').iterate());
    },
    statements: () => statements(db),
    close: () => db.close(),
  };
}
