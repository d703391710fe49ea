// Asks one question about a findings file in a reader thread and does not close anything.
const [library = '', file = ''] = process.argv.slice(2);
const { createFindingsStore } = await import(library);
const untested = await createFindingsStore({ threads: 2 }).untested(file, 5);
console.log(JSON.stringify(untested));
