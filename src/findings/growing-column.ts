/** What a typed array offers here. */
interface Packed<A> {
  readonly length: number;
  [index: number]: number;
  set(from: A): void;
  subarray(from: number, to: number): A;
}

/** Numbers of which nobody knows beforehand how many there will be, packed. */
export interface GrowingColumn<A> {
  push(value: number): void;
  /** What was pushed, without a copy; holds until the next push. */
  values(): A;
}

const FIRST_LENGTH = 1_024;

/** @param make Makes an empty typed array of a length: what the column is made of. */
export function createGrowingColumn<A extends Packed<A>>(make: (length: number) => A): GrowingColumn<A> {
  let array = make(FIRST_LENGTH);
  let used = 0;
  return {
    push(value) {
      if (used === array.length) {
        const larger = make(used * 2);
        larger.set(array);
        array = larger;
      }
      array[used] = value;
      used += 1;
    },
    values: () => array.subarray(0, used),
  };
}

export const uint8Column = (): GrowingColumn<Uint8Array> => createGrowingColumn<Uint8Array>((n) => new Uint8Array(n));
export const uint32Column = (): GrowingColumn<Uint32Array> =>
  createGrowingColumn<Uint32Array>((n) => new Uint32Array(n));
export const int32Column = (): GrowingColumn<Int32Array> => createGrowingColumn<Int32Array>((n) => new Int32Array(n));
export const float64Column = (): GrowingColumn<Float64Array> =>
  createGrowingColumn<Float64Array>((n) => new Float64Array(n));
