/**
 * What is wanted of a document. `take`: the value, parsed, under this name. `enter`: look inside; `name` if the reader
 * wants to hear of its beginning and end. What a plan does not mention is passed over without being kept.
 */
export type JsonPlan =
  | {
      readonly take: string;
      /**
       * Of an object: these members make up the value; the others are passed over, however long they are. Of two equal
       * keys the last counts. One that is entered is given by itself, before the value.
       */
      readonly only?: Readonly<Record<string, JsonPlan>>;
      /** A text is cut to about so many bytes. */
      readonly cutBytes?: number;
    }
  | {
      readonly name?: string;
      /** Of an object: its members by key. */
      readonly members?: Readonly<Record<string, JsonPlan>>;
      /** Of a list: every element. */
      readonly each?: JsonPlan;
    };

export type Taken = Extract<JsonPlan, { readonly take: string }>;
export type Entered = Exclude<JsonPlan, Taken>;

export const SKIP: Entered = {};
export const isWanted = (plan: JsonPlan): boolean =>
  'take' in plan || plan.members !== undefined || plan.each !== undefined;
/** Made up of some of its members. */
export const isGathered = (
  plan: JsonPlan | undefined,
): plan is Taken & { readonly only: Readonly<Record<string, JsonPlan>> } =>
  plan !== undefined && 'take' in plan && plan.only !== undefined;
/** Members of an object that are planned, if it is to be entered. */
export const membersOf = (plan: JsonPlan): Readonly<Record<string, JsonPlan>> | undefined =>
  'take' in plan ? plan.only : plan.members;
export const eachOf = (plan: JsonPlan): JsonPlan | undefined => ('take' in plan ? undefined : plan.each);
