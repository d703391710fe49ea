/**
 * Keeps the AWS SDK from telling everybody which Node its later versions want: which one is installed is decided here,
 * and the text would stand between the JSON lines of a log. It reads nothing but this variable.
 */
export function silenceSdkWarning(): void {
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
}
