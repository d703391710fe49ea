import type { Command } from 'commander';
import type { Globals, Session } from './session.ts';

/** What a command does: resolves to the exit code. */
export type Action = (session: Session) => Promise<number>;

/** Runs actions: commands only say what is to be done; whoever made the program does it. */
export type Runner = (globals: Globals, action: Action) => Promise<void>;

/** A way to add a command: its words, then what it does with them. */
export type Add = (words: string, description: string) => Command;

/** Runs an action with what was typed before the command. */
export type Run = (action: Action) => Promise<void>;

export const JSON_OPTION = ['--json', 'print JSON'] as const;
