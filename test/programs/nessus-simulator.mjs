// A simulated Nessus in a process of its own, so that a test may kill it. Options as JSON in the first argument; says its
// url and what one logs in with as a line of JSON. It ends with its standard input.
import { startNessusSimulator } from '../../dist/simulators/nessus/simulator.js';

const { url, certificate, auth } = await startNessusSimulator(JSON.parse(process.argv[2] ?? '{}'));
process.stdout.write(`${JSON.stringify({ url, auth, certificate: certificate?.certificate })}\n`);
process.stdin.on('end', () => process.exit(0)).resume();
