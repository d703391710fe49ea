/** Anything but printable ASCII and line feeds; a backslash counts, because it begins what stands for other characters. */
const ODD = /[^\n -[\]-~]/;

/** Whether a text is all printable ASCII and line feeds, without a backslash: nothing in it reads as something else. */
export const isPlain = (text: string): boolean => !ODD.test(text);
