import type { AppViewRoute } from '@bull-board/api/typings/app';
import { ExpressAdapter } from '@bull-board/express';
import { BOARD_STYLE } from './board-style.ts';

/** Fonts of another site: the policy of the page refuses them, and a browser need not even be asked to fetch them. */
const FOREIGN_STYLES = /<link[^>]+href="https?:[^>]*>\s*/g;

/** Serves the board without what it would fetch elsewhere or would be refused, and without naming what serves it. */
export class BoardPages extends ExpressAdapter {
  constructor() {
    super();
    this.app.disable('x-powered-by');
  }

  override setEntryRoute(entry: AppViewRoute): this {
    this.app[entry.method](entry.route, (_request, response, next) => {
      const { name, params } = entry.handler({ basePath: this.basePath, uiConfig: this.uiConfig });
      response.render(name, params, (error: unknown, html: string) => {
        if (error) next(error);
        else response.send(html.replaceAll(FOREIGN_STYLES, '').replace('</head>', `${BOARD_STYLE}</head>`));
      });
    });
    return this;
  }
}
