const kKeyCharacters = 24;
const kAlphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** A fresh idempotency key: 24 characters of [A-Za-z0-9_-]. It must be unlike every other, not secret. */
export function newIdempotencyKey(): string {
  const bytes = new Uint8Array(kKeyCharacters);
  if (typeof crypto !== 'undefined' && typeof crypto.getRandomValues === 'function') {
    crypto.getRandomValues(bytes);
  } else {
    for (let i = 0; i < bytes.length; ++i) bytes[i] = Math.floor(Math.random() * 256);
  }
  return Array.from(bytes, (byte) => kAlphabet[byte % kAlphabet.length]).join('');
}
