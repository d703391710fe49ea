#!/usr/bin/env node
import { environment } from '../config/environment.ts';
import { stdioFlags } from './stdio-flags.ts';

// Two programs in one file. A client waits for the server's handshake: it loads nothing of the command line.
const argv = process.argv.slice(2);
const flags = stdioFlags(argv);
if (flags) await (await import('./stdio.ts')).serveStdio(flags, environment());
else await (await import('./run.ts')).runCommandLine(argv, environment());
