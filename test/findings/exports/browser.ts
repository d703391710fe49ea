import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium, type Browser, type Page } from 'playwright-core';
import { onTestFinished } from 'vitest';
import { findProgram } from '../../../src/config/find-program.ts';
import { tempFolder } from '../reports.ts';

/** @throws Error saying what to install */
export async function openBrowser(): Promise<Browser> {
  const env = { PATH: `${process.env['PATH'] ?? ''}:/usr/bin:/opt/homebrew/bin` };
  const executablePath = findProgram('chromium', env) ?? findProgram('google-chrome', env);
  if (executablePath === undefined) throw new Error('These tests need chromium: sudo apt-get install -y chromium');
  // Containers run as root, where the sandbox cannot; the pages are our own files.
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
}

export interface Opened {
  readonly page: Page;
  /** Everything that should not have happened: messages, errors, requests beyond the file, dialogs. */
  readonly trouble: readonly string[];
}

/** Opens a page from a file, as people do, and notes what it tries. */
export async function openPage(
  browser: Browser,
  text: string,
  options: { readonly width: number; readonly dark?: boolean },
): Promise<Opened> {
  const path = join(await tempFolder(), 'report.html');
  writeFileSync(path, text);
  const url = pathToFileURL(path).href;
  const context = await browser.newContext({
    viewport: { width: options.width, height: 900 },
    colorScheme: options.dark === true ? 'dark' : 'light',
  });
  onTestFinished(() => context.close());
  const page = await context.newPage();
  const trouble: string[] = [];
  page.on('console', (message) => trouble.push(`console: ${message.text()}`));
  page.on('pageerror', (error) => trouble.push(`error: ${error.message}`));
  page.on('dialog', (dialog) => {
    trouble.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => {
    if (request.url() !== url) trouble.push(`request: ${request.url()}`);
  });
  await page.goto(url, { waitUntil: 'load' });
  return { page, trouble };
}
