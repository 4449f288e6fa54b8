// Brings the binary into a browser page: compiled while it streams in, from a whole buffer where that is not possible.
import type { Instantiate } from './raw';

async function fetchBinary(url: string): Promise<Response> {
  const response = await fetch(url, { credentials: 'same-origin' });
  if (!response.ok) throw new Error(`The core could not be fetched: ${response.status}.`);
  return response;
}

export const instantiateInBrowser: Instantiate = async (imports, source) => {
  if (source.bytes) return WebAssembly.instantiate(source.bytes, imports);
  if (!source.url) throw new Error('The core needs a url or bytes.');
  const response = await fetchBinary(source.url);
  const whole = response.clone();
  if (typeof WebAssembly.instantiateStreaming === 'function') {
    try {
      return await WebAssembly.instantiateStreaming(response, imports);
    } catch {
      // A server or proxy that changes the content type: the buffer below does not care.
    }
  }
  return WebAssembly.instantiate(await whole.arrayBuffer(), imports);
};
