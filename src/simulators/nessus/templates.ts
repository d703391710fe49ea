export interface Template {
  readonly uuid: string;
  readonly name: string;
  readonly title: string;
}

/** Not RFC UUIDs, but 52 characters; the same on every Nessus. */
export const ADVANCED: Template = {
  uuid: 'ad629e16-03b6-8c1d-cef6-ef8c9dd3c658d24bd260ef5f9e66',
  name: 'advanced',
  title: 'Advanced Scan',
};

export const TEMPLATES: readonly Template[] = [
  ADVANCED,
  { uuid: '731a8e52-3ea6-a291-ec0a-d2ff0619c19d7bd788d6be818b65', name: 'basic', title: 'Basic Network Scan' },
  { uuid: '51ca2e21-7d10-4ff0-9d1c-5a2b3c4d5e6f708192a3b4c5d6e7', name: 'discovery', title: 'Host Discovery' },
  { uuid: 'ab4bacd2-05f6-425c-9d79-3ba3940ad1c24e51e1f403febe40', name: 'custom', title: 'Custom Scan' },
];
