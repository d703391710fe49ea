import type { Readable } from 'node:stream';
import { AppError } from '../../model/errors.ts';
import { Occurrence } from '../../model/finding.ts';
import type { ReportEvent, ReportScope } from '../../model/report.ts';
import type { JsonPlan } from '../../platform/json-plan.ts';
import { readJson } from '../../platform/json-stream.ts';
import { createSpool, type Spool } from '../../platform/spool.ts';
import { defined, isObject, objectOf, textOf, timeOf, wholeOf } from '../json-fields.ts';
import { jsonHead } from '../json-head.ts';
import type { ReportFormat } from '../report-format.ts';
import { createRuleCache } from '../rule-cache.ts';
import { readItem } from '../unreadable-item.ts';
import { showsAll, showsMore } from './configuration.ts';
import { grypeMatch, type GrypeSource } from './match.ts';

const WHAT = 'Grype report';
/** The end of the year 9999, epoch milliseconds: later times have no common spelling. */
const LAST_MS = 253_402_300_799_999;
const isoOf = (ms: number | undefined): string | undefined =>
  ms === undefined || ms > LAST_MS ? undefined : new Date(ms).toISOString();

/** Types of packages that Grype looks up without knowing the distribution; those of a distribution it cannot, then. */
const FAMILIES_WITHOUT_DISTRO =
  'R-package binary bitnami cocoapods conan conda dart-pub dotnet erlang-otp gem github-action github-action-workflow ' +
  'go-module graalvm-native-image hackage hex homebrew java-archive jenkins-plugin lua-rocks npm opam php-composer ' +
  'php-pear php-pecl pod python rust-crate swift swiplpack terraform wordpress-plugin';
const take = (name: string): JsonPlan => ({ take: name });
const PLAN: JsonPlan = {
  name: 'report',
  members: {
    matches: { name: 'matches', each: take('match') },
    ignoredMatches: { each: take('ignored') },
    source: take('source'),
    distro: take('distro'),
    descriptor: {
      members: {
        version: take('version'),
        timestamp: take('timestamp'),
        configuration: take('configuration'),
        db: take('db'),
      },
    },
  },
  // The first versions wrote the list of matches alone.
  each: take('match'),
};

/** Grype's `-o json`. */
export const grypeFormat: ReportFormat = {
  name: 'grype',
  engine: 'grype',
  places: 'artefacts',
  detect(head) {
    const shape = jsonHead(head);
    if (shape?.root === 'list') return shape.paths.has('[].vulnerability') && shape.paths.has('[].artifact');
    if (shape?.root !== 'object') return false;
    if (shape.paths.get('descriptor.name') === 'grype') return true;
    return ['matches[].vulnerability', 'matches[].artifact', 'ignoredMatches[].vulnerability'].some((path) =>
      shape.paths.has(path),
    );
  },
  parse: parseGrype,
};

/**
 * One finding per match. What was scanned stands behind the matches, so they wait for it on disk. Grype goes through all
 * packages of its source, so that a report whose configuration leaves nothing out is proof of a look at all of them;
 * matches it was told to ignore are counted.
 * @throws AppError report_unreadable naming item and byte
 */
export async function* parseGrype(report: Readable): AsyncGenerator<ReportEvent, void, undefined> {
  const spool = createSpool();
  const reader = new GrypeReader(spool);
  try {
    for await (const part of readJson(report, PLAN, { what: WHAT })) {
      if (part.name === 'matches') reader.hasMatches = true;
      else if (part.kind === 'value') await reader.value(part.name, part.value, part.index, part.offset);
    }
    if (!reader.hasMatches)
      throw new AppError('report_unreadable', `The ${WHAT} has no matches: it is something else.`);
    yield* reader.matches();
    yield* reader.ending();
  } catch (error) {
    yield* reader.matches();
    throw error;
  } finally {
    await spool.close();
  }
}

class GrypeReader {
  readonly #spool: Spool;
  readonly #intern = createRuleCache();
  readonly #facts: Record<string, unknown> = {};
  #ignored = 0;
  hasMatches = false;

  constructor(spool: Spool) {
    this.#spool = spool;
  }

  async value(name: string, value: unknown, index: number, offset: number): Promise<void> {
    if (name === 'match') {
      this.hasMatches = true;
      await this.#spool.add({ value, index, offset });
    } else if (name === 'ignored') this.#ignored += 1;
    else this.#facts[name] = value;
  }

  async *matches(): AsyncGenerator<ReportEvent> {
    const source = this.#source();
    for await (const entry of this.#spool.drain()) {
      const held = objectOf(entry);
      const place = { name: 'match', index: wholeOf(held['index'], 0) ?? 0, offset: wholeOf(held['offset'], 0) ?? 0 };
      yield readItem(WHAT, place, () => {
        const match = isObject(held['value']) ? grypeMatch(held['value'], source) : undefined;
        if (!match) return undefined;
        return {
          kind: 'occurrence',
          rule: this.#intern(match.rule),
          occurrence: Occurrence.parse(match.occurrence),
        } as const;
      });
    }
  }

  *ending(): Generator<ReportEvent> {
    const { name } = this.#source();
    const { version, timestamp } = this.#facts;
    if (name !== undefined) yield { kind: 'place', place: { place: name, status: 'tested' } };
    yield { kind: 'scope', scope: this.#look() };
    if (name !== undefined) {
      yield { kind: 'checks', lookedFor: ['vulnerabilities of packages'], notLookedFor: [] };
    }
    if (this.#ignored > 0) {
      const note = `${this.#ignored} matches that Grype was told to ignore`;
      yield { kind: 'checks', lookedFor: [], notLookedFor: [note] };
    }
    const facts = defined({ version: textOf(version), title: name, finishedAt: timeOf(timestamp) });
    yield { kind: 'source', source: { tool: 'Grype', ...facts } };
    yield { kind: 'end' };
  }

  /** What absence from this report proves, and which absence elsewhere proves nothing against it. */
  #look(): ReportScope {
    const { configuration, db, timestamp, distro } = this.#facts;
    // A database is no younger than the report that was made with it.
    const builtAt = timeOf(objectOf(objectOf(db)['status'])['built']) ?? timeOf(objectOf(db)['built']);
    const rulesAsOf = isoOf(builtAt ?? timeOf(timestamp));
    const isWhole = this.#ignored === 0 && builtAt !== undefined && showsAll(configuration);
    const families = textOf(objectOf(distro)['name']) === undefined ? FAMILIES_WITHOUT_DISTRO.split(' ') : ['*'];
    return {
      ...(isWhole && this.#source().name !== undefined ? { families } : {}),
      ...defined({ rulesAsOf }),
      ...(rulesAsOf === undefined || showsMore(configuration) ? { reportsMore: true } : {}),
    };
  }

  #source(): GrypeSource {
    const source = objectOf(this.#facts['source']);
    const target = source['target'];
    const name = isObject(target)
      ? (textOf(target['userInput']) ?? textOf(target['path']) ?? textOf(target['name']))
      : textOf(target);
    return { name: name === '.' ? './' : name, isImage: textOf(source['type']) === 'image' };
  }
}
