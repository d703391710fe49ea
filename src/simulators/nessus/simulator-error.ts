/** The simulator cannot start as asked: a wrong scenario, or a file that is none of its own. The message says why. */
export class SimulatorError extends Error {
  override readonly name = 'SimulatorError';
}
