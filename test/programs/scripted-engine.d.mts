import type { ScannerType } from '../../src/scanners/scanner.ts';

export declare const scriptedType: ScannerType;
