// Load on a server from outside it: wrk for throughput and latency, plain sockets for slow and idle clients and for
// WebSockets, which cost nothing but memory here.
import { execFile } from 'node:child_process';
import { connect } from 'node:net';
import { promisify } from 'node:util';

const run = promisify(execFile);
const inMs = { us: 0.001, ms: 1, s: 1000 };

/** @returns {{perSecond: number, p50: number, p99: number, failures: number}} times in ms */
export async function wrk(url, { connections = 64, seconds = 3, script = null, args = [] } = {}) {
  const flags = ['-t1', `-c${connections}`, `-d${seconds}s`, '--latency', '--timeout', '10s', ...(script ? ['-s', script] : []), url];
  const { stdout } = await run('wrk', [...flags, ...(args.length > 0 ? ['--', ...args] : [])]);
  const time = (percent) => {
    const [, value, unit] = stdout.match(new RegExp(`${percent}%\\s+([\\d.]+)(us|ms|s)`));
    return Number(value) * inMs[unit];
  };
  const count = (pattern) => Number(stdout.match(pattern)?.[1] ?? 0);
  const refused = count(/Non-2xx or 3xx responses: (\d+)/);
  const broken = [/connect (\d+)/, /read (\d+)/, /write (\d+)/, /timeout (\d+)/].reduce((sum, at) => sum + count(at), 0);
  return { perSecond: count(/Requests\/sec:\s+([\d.]+)/), p50: time(50), p99: time(99), failures: refused + broken };
}

const slowKinds = [
  (socket) => setInterval(() => socket.write('a'), 2_000),                        // a head that never ends
  (socket) => { socket.write('POST /api/v1/quotes HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n');
    return setInterval(() => socket.write('{'), 2_000); },                        // a body that drips
  () => null,                                                                     // says nothing
  (socket) => { socket.write('GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n'); return null; },  // asks once, then idles
];

/** Keeps `count` slow and idle connections open until stop(); one that the server ends comes back. */
export function slowSockets(port, count) {
  const open = new Set();
  let stopped = false;
  const add = (index) => {
    const socket = connect(port, '127.0.0.1');
    let timer = null;
    open.add(socket);
    socket.on('connect', () => { timer = slowKinds[index % slowKinds.length](socket); });
    socket.on('data', () => {});
    socket.on('error', () => {});
    socket.on('close', () => {
      clearInterval(timer);
      open.delete(socket);
      if (!stopped) setTimeout(() => add(index), 50);
    });
  };
  for (let i = 0; i < count; ++i) add(i);
  return { open: () => open.size, stop: () => { stopped = true; for (const socket of open) socket.destroy(); } };
}

const kUpgrade = (host) => `GET /api/v1/live HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n`
  + 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

function masked(text) {
  const body = Buffer.from(text);
  const head = Buffer.from(body.length < 126 ? [0x81, 0x80 | body.length] : [0x81, 0xfe, body.length >> 8, body.length & 255]);
  return Buffer.concat([head, Buffer.alloc(4), body]);  // a mask of zeros leaves the text as it is
}

/** Opens one WebSocket, sends `hello`, and hears every frame's text; frames of the server are never split here. */
export function follower(origin, hello, heard) {
  const url = new URL(origin);
  return new Promise((done, fail) => {
    const socket = connect(Number(url.port), url.hostname);
    let bytes = Buffer.alloc(0);
    let upgraded = false;
    socket.on('error', fail);
    socket.on('connect', () => socket.write(kUpgrade(url.host)));
    socket.on('data', (chunk) => {
      bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
      if (!upgraded) {
        const end = bytes.indexOf('\r\n\r\n');
        if (end < 0) return;
        if (!bytes.subarray(0, end).toString().includes(' 101 ')) { fail(new Error(bytes.subarray(0, end).toString())); return; }
        upgraded = true;
        bytes = bytes.subarray(end + 4);
        if (hello) socket.write(masked(hello));
        done(socket);
      }
      while (bytes.length >= 2) {
        const short = bytes[1] & 127;
        const start = short < 126 ? 2 : 4;
        if (bytes.length < start) return;
        const length = short < 126 ? short : bytes.readUInt16BE(2);
        if (bytes.length < start + length) return;
        heard(bytes.subarray(start, start + length).toString());
        bytes = bytes.subarray(start + length);
      }
    });
  });
}
