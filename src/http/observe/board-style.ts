const LISTS = ':is([class^="jobActions-"], [class^="queueActions-"])';
const RETRY = '.lucide-refresh-cw';
const CANCEL = '.lucide-trash-2';

/**
 * Hides buttons of the board that would be refused: it has no setting for them short of none at all. Told by their icons
 * and the lists they stand in, which have names; a button that is missed here is refused as before.
 */
export const BOARD_STYLE = `<style>
${LISTS} > li:not(:has(${RETRY}, ${CANCEL})),
[class^="queueActions-"] > li:has(${CANCEL}),
${LISTS}:has(${RETRY}) > li:has(${CANCEL}),
/* What ended well or was cancelled has two buttons, to copy and to remove it. */
[class^="jobActions-"] > li:nth-child(2):last-child,
/* The menu of a pool: add, pause, empty, obliterate. Retrying all stands among the failed ones. */
[class^="trigger-"][aria-haspopup="menu"],
[role="menuitem"]:has(> .lucide-pause, > .lucide-play) { display: none !important; }
</style>
`;
