// The least of a WebSocket client (RFC 6455): text frames of up to 64 KB, for tests of the live channel.
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';

const kText = 1;

function frame(text) {
  const payload = Buffer.from(text);
  const mask = randomBytes(4);
  const head = payload.length < 126
    ? Buffer.from([0x80 | kText, 0x80 | payload.length])
    : Buffer.from([0x80 | kText, 0x80 | 126, payload.length >> 8, payload.length & 255]);
  return Buffer.concat([head, mask, payload.map((byte, i) => byte ^ mask[i % 4])]);
}

/** Connects, says `hello` and gathers every message as JSON in `heard`. */
export async function follow(origin, hello) {
  const { hostname, port } = new URL(origin);
  const socket = connect(Number(port), hostname);
  const heard = [];
  let bytes = Buffer.alloc(0);
  let isOpen = false;
  socket.on('error', () => undefined);
  await new Promise((done, fail) => {
    socket.on('close', () => fail(new Error('the connection ended')));
    socket.on('data', (more) => {
      bytes = Buffer.concat([bytes, more]);
      if (!isOpen) {
        const end = bytes.indexOf('\r\n\r\n');
        if (end < 0) return;
        if (!bytes.toString('latin1').startsWith('HTTP/1.1 101 ')) fail(new Error(bytes.toString()));
        bytes = bytes.subarray(end + 4);
        isOpen = true;
        done();
      }
      for (;;) {
        if (bytes.length < 2) return;
        const short = bytes[1] & 127;
        const start = short < 126 ? 2 : 4;
        if (short === 127 || bytes.length < start) return;
        const length = short < 126 ? short : bytes.readUInt16BE(2);
        if (bytes.length < start + length) return;
        if ((bytes[0] & 15) === kText) heard.push(JSON.parse(bytes.subarray(start, start + length).toString()));
        bytes = bytes.subarray(start + length);
      }
    });
    socket.write(`GET /api/v1/live HTTP/1.1\r\nHost: ${hostname}:${port}\r\nOrigin: ${origin}\r\nUpgrade: websocket\r\n`
      + `Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`);
  });
  socket.write(frame(JSON.stringify(hello)));
  return { heard, close: () => socket.destroy() };
}
