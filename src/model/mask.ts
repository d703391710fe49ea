/** User info of a URL may be a password, and errors are shown and logged. */
export const withoutUserInfo = (text: string): string => text.replace(/^([a-z][a-z0-9+.-]*:\/\/)?[^/?#]*@/i, '$1***@');

/** A target as it may be written down for good: no user info, and of a query only the names. */
export const withoutSecrets = (text: string): string =>
  withoutUserInfo(text)
    .replace(/#.*$/s, '')
    .replace(/\?(.*)$/s, (_query, pairs: string) => `?${pairs.replace(/=[^&]*/g, '=***')}`);
