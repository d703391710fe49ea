import { z } from 'zod';
import { RuleFacts } from '../../model/finding.ts';
import { openDatabase } from '../../platform/sqlite.ts';
import type { Database, Row } from '../../platform/sqlite.ts';
import { memoLast } from './source.ts';
import type { ExportSource } from './source.ts';
import { judgementOf, productOf, VEX_REASONS } from './vex-judgement.ts';
import type { VexJudgement, VexProduct } from './vex-judgement.ts';
import { aliasOf, vulnerabilityNames } from './vulnerability-ids.ts';

/** Rows in one transaction. */
const BATCH = 2_000;
/** Ids of products and judgements that are remembered; more are looked up. */
const MOST_KNOWN = 50_000;
const MOST_ALIASES = 20;

const SCHEMA = `
CREATE TABLE product (id INTEGER PRIMARY KEY, json TEXT NOT NULL UNIQUE);
CREATE TABLE judgement (id INTEGER PRIMARY KEY, json TEXT NOT NULL UNIQUE);
-- id: CVE or advisory. rule: facts of the most urgent finding of it.
CREATE TABLE vulnerability (id TEXT PRIMARY KEY, rule TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE alias (id TEXT NOT NULL, alias TEXT NOT NULL, PRIMARY KEY (id, alias)) WITHOUT ROWID;
CREATE TABLE stated (id TEXT NOT NULL, product INTEGER NOT NULL, status INTEGER NOT NULL, judgement INTEGER NOT NULL,
  PRIMARY KEY (id, product)) WITHOUT ROWID;
-- The same in the order of statements.
CREATE TABLE sorted (id TEXT NOT NULL, status INTEGER NOT NULL, judgement INTEGER NOT NULL, product INTEGER NOT NULL,
  PRIMARY KEY (id, status, judgement, product)) WITHOUT ROWID;`;

const ProductJson = z.custom<VexProduct>((value) => typeof value === 'object' && value !== null);
const JudgementJson = z.custom<VexJudgement>((value) => typeof value === 'object' && value !== null);

/** One statement: a vulnerability, what holds for it, and the products it holds for. */
export interface VexStatement {
  /** CVE or advisory. */
  readonly id: string;
  /** Advisories of the same vulnerability, at most `MOST_ALIASES`. */
  readonly aliases: readonly string[];
  /** What the most urgent finding of it says. */
  readonly rule: RuleFacts;
  readonly judgement: VexJudgement;
  /** To be gone through before the next statement is asked for. */
  readonly products: Iterable<VexProduct>;
}

/** The findings of a scan by vulnerability, sorted on disk: neither those nor places are bounded. */
export interface VexLedger {
  products(): Iterable<VexProduct>;
  statements(): Iterable<VexStatement>;
  close(): void;
}

function createIds(db: Database, table: 'product' | 'judgement'): (value: object) => number {
  const insert = db.prepare(`INSERT OR IGNORE INTO ${table} (json) VALUES (?)`);
  const select = db.prepare(`SELECT id FROM ${table} WHERE json = ?`);
  const known = new Map<string, number>();
  return (value) => {
    const json = JSON.stringify(value);
    const kept = known.get(json);
    if (kept !== undefined) return kept;
    insert.run(json);
    const id = Number(select.get(json)?.['id']);
    if (known.size >= MOST_KNOWN) known.clear();
    known.set(json, id);
    return id;
  };
}

/** Yields nothing, often: others have their turn then. */
function* fill(db: Database, source: ExportSource): Generator<string, void> {
  const addVulnerability = db.prepare('INSERT OR IGNORE INTO vulnerability VALUES (?, ?)');
  const addAlias = db.prepare('INSERT OR IGNORE INTO alias VALUES (?, ?)');
  const addStated = db.prepare(`INSERT INTO stated VALUES (?, ?, ?, ?) ON CONFLICT (id, product)
    DO UPDATE SET status = excluded.status, judgement = excluded.judgement WHERE excluded.status < status`);
  const productId = createIds(db, 'product');
  const judgementId = createIds(db, 'judgement');
  const noted = memoLast((rule: RuleFacts) => {
    const names = vulnerabilityNames(rule);
    const alias = aliasOf(rule);
    for (const name of names) {
      addVulnerability.run(name, JSON.stringify(rule));
      if (alias !== undefined) addAlias.run(name, alias);
    }
    return names;
  });
  let rows = 0;
  db.exec('BEGIN');
  for (const finding of source.findings()) {
    yield '';
    const names = noted(finding.rule);
    if (names.length === 0) continue;
    const judgement = judgementOf(finding);
    const product = productId(productOf(finding, source.header.scan.scan_id));
    const said = judgementId(judgement);
    const status = VEX_REASONS.indexOf(judgement.reason);
    for (const name of names) addStated.run(name, product, status, said);
    rows += 1;
    if (rows % BATCH === 0) db.exec('COMMIT; BEGIN');
  }
  db.exec('COMMIT');
}

/** In batches, where an index made at once would hold up everybody. */
function* sort(db: Database): Generator<string, void> {
  const next = db.prepare(`SELECT id, product, status, judgement FROM stated WHERE (id, product) > (?, ?)
    ORDER BY id, product LIMIT ${BATCH}`);
  const add = db.prepare('INSERT INTO sorted (id, product, status, judgement) VALUES (?, ?, ?, ?)');
  let last: readonly [string, number] = ['', 0];
  for (;;) {
    const rows = next.all(...last);
    db.exec('BEGIN');
    for (const row of rows) {
      const [id, product] = [String(row['id']), Number(row['product'])];
      add.run(id, product, Number(row['status']), Number(row['judgement']));
      last = [id, product];
    }
    db.exec('COMMIT');
    if (rows.length < BATCH) return;
    // As many as asking for the time takes notice of.
    for (let asked = 0; asked < 16; asked += 1) yield '';
  }
}

const productFrom = ({ json }: Row): VexProduct => ProductJson.parse(JSON.parse(String(json)));

function* productsOf(rows: Iterable<Row>): Generator<VexProduct> {
  for (const row of rows) yield productFrom(row);
}

function* statements(db: Database): Generator<VexStatement> {
  const vulnerabilities = db.prepare('SELECT id, rule FROM vulnerability WHERE id > ? ORDER BY id LIMIT 1');
  const others = db.prepare(`SELECT alias FROM alias WHERE id = ? ORDER BY alias LIMIT ${MOST_ALIASES}`);
  const judgements = db.prepare(`SELECT s.status, s.judgement, j.json
    FROM (SELECT DISTINCT status, judgement FROM sorted WHERE id = ?) AS s JOIN judgement AS j ON j.id = s.judgement
    ORDER BY s.status, s.judgement`);
  const products = db.prepare(`SELECT p.json FROM sorted AS s JOIN product AS p ON p.id = s.product
    WHERE s.id = ? AND s.status = ? AND s.judgement = ? ORDER BY s.product`);
  for (let row = vulnerabilities.get(''); row; row = vulnerabilities.get(String(row['id']))) {
    const id = String(row['id']);
    const aliases = others.all(id).map(({ alias }) => String(alias));
    const rule = RuleFacts.parse(JSON.parse(String(row['rule'])));
    for (const said of judgements.all(id)) {
      const judgement = JudgementJson.parse(JSON.parse(String(said['json'])));
      yield {
        id,
        aliases,
        rule,
        judgement,
        products: productsOf(products.iterate(id, Number(said['status']), Number(said['judgement']))),
      };
    }
  }
}

/**
 * Sorts findings by vulnerability; yields empty texts while it does, so that a formatter can pass its turns on.
 * @param scratchPath A file that may be made here; the caller removes it.
 */
export function* openVexLedger(source: ExportSource, scratchPath: string): Generator<string, VexLedger> {
  const db = openDatabase(scratchPath, { journal: 'off', synchronous: 'off' });
  let isFilled = false;
  try {
    db.exec(SCHEMA);
    yield* fill(db, source);
    yield* sort(db);
    isFilled = true;
  } finally {
    // Also when nobody goes on with it.
    if (!isFilled) db.close();
  }
  return {
    *products() {
      yield* productsOf(db.prepare('SELECT json FROM product ORDER BY id').iterate());
    },
    statements: () => statements(db),
    close: () => db.close(),
  };
}
