// The Debian package: built, looked into, installed, started as its own user, upgraded with its data, purged.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { scratch } from './support/commands.mjs';
import { canThrowAway, inThrowaway } from './support/throwaway.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const output = (...words) => execFileSync(words[0], words.slice(1), { encoding: 'utf8' });

let packed;
/** Packing takes longest of all, so it is done once. */
function pack() {
  if (packed === undefined) {
    const folder = scratch();
    output(join(root, 'scripts/package'), '--no-build', '--to', folder);
    packed = join(folder, readdirSync(folder).find((name) => name.endsWith('.deb')));
  }
  return packed;
}

/** The same files and scripts as a later version. */
function packAgain(deb, version) {
  const folder = scratch();
  const unpacked = join(folder, 'unpacked');
  output('dpkg-deb', '-R', deb, unpacked);
  const control = join(unpacked, 'DEBIAN/control');
  writeFileSync(control, readFileSync(control, 'utf8').replace(/^Version: .*$/m, `Version: ${version}`));
  const next = join(folder, `topup_${version}_amd64.deb`);
  output('dpkg-deb', '--root-owner-group', '-Znone', '-b', unpacked, next);
  return next;
}

test('the package holds the program, the pages, a service and examples, and nothing is open to writing', () => {
  const deb = pack();
  assert.ok(statSync(deb).size < 20_000_000);
  const lines = output('dpkg-deb', '-c', deb).trim().split('\n');
  const modes = Object.fromEntries(lines.map((line) => [line.split(/\s+/).at(-1), line.split(/\s+/)]));
  for (const name of ['usr/bin/topup', 'usr/lib/systemd/system/topup.service', 'etc/topup/topup.toml', 'etc/default/topup',
    'usr/share/topup/shop/index.html', 'usr/share/topup/console/index.html', 'usr/share/topup/mini-program/app.json', 'usr/share/doc/topup/topup.example.toml',
    'usr/share/doc/topup/Caddyfile', 'usr/share/doc/topup/nginx.conf']) {
    assert.ok(modes[`./${name}`], name);
  }
  for (const [name, [mode, owner]] of Object.entries(modes)) {
    assert.equal(owner, 'root/root', name);
    assert.doesNotMatch(mode, /^.{5}w|^.{8}w/, name);
  }
  assert.equal(output('dpkg-deb', '-f', deb, 'Conffiles').trim(), '');
  assert.match(output('dpkg-deb', '-I', deb, 'conffiles'), /^\/etc\/topup\/topup\.toml$/m);
  const service = readFileSync(join(root, 'scripts/operate/topup.service'), 'utf8');
  for (const line of ['User=topup', 'NoNewPrivileges=yes', 'ProtectSystem=strict', 'StateDirectory=topup',
    'CapabilityBoundingSet=', 'Restart=on-failure', 'TimeoutStopSec=15', '#LoadCredential=']) {
    assert.ok(service.split('\n').some((found) => found.startsWith(line)), line);
  }
});

test('A-16: installed it is not started and belongs to its own user; an upgrade and a purge keep the data',
  { timeout: 400_000 }, async (context) => {
    if (!await canThrowAway(scratch())) return context.skip('this machine has no overlay to install into');
    const first = pack();
    const next = packAgain(first, '99.0.0');
    const { code, out } = await inThrowaway(scratch(), [first, next], `
      export DEBIAN_FRONTEND=noninteractive LC_ALL=C
      cd /run
      dpkg -i topup_0*.deb
      id topup
      stat -c '%U %a' /var/lib/topup
      stat -c '%U %G %a' /etc/topup/topup.toml
      pgrep -x topup && exit 31
      # Without an address there is nothing to start, and it says so.
      su -s /bin/sh topup -c 'topup serve --config /etc/topup/topup.toml' 2>&1 && exit 32
      echo '# mine' >> /etc/topup/topup.toml
      rehearse() {
        : > /run/said  # or the "ready" of the run before is taken for this one's
        su -s /bin/sh topup -c 'cd / && exec topup rehearse --port 0 --data /var/lib/topup --web /usr/share/topup/shop \\
          --console /usr/share/topup/console --log-file /var/lib/topup/log' > /run/said 2>&1 &
        for _ in $(seq 600); do grep -qx ready /run/said && break; sleep 0.1; done
        cat /run/said
        pkill -TERM -x topup
        wait
      }
      rehearse
      key=$(sha256sum < /var/lib/topup/topup.keys)
      stat -c '%U %a' /var/lib/topup/topup.keys
      dpkg -i topup_99*.deb
      grep -qx '# mine' /etc/topup/topup.toml
      [ "$key" = "$(sha256sum < /var/lib/topup/topup.keys)" ]
      dpkg-query -W -f '\${Version}\\n' topup
      rehearse
      su -s /bin/sh topup -c 'topup verify --data /var/lib/topup'
      su -s /bin/sh topup -c 'topup doctor --data /var/lib/topup' || true
      dpkg --purge topup
      [ ! -e /usr/bin/topup ] && [ ! -e /etc/topup/topup.toml ]
      [ "$key" = "$(sha256sum < /var/lib/topup/topup.keys)" ]
      echo all is well
    `);
    assert.equal(code, 0, out);
    assert.match(out, /uid=\d+\(topup\)/);
    assert.match(out, /^topup 700$/m);
    assert.match(out, /^root topup 640$/m);
    assert.match(out, /public_origin is needed/);
    assert.match(out, /^topup 600$/m);
    assert.match(out, /^99\.0\.0$/m);
    assert.match(out, /the books hold/);
    assert.match(out, /The shop's data stays in \/var\/lib\/topup/);
    assert.match(out, /^all is well$/m);
    assert.equal(out.match(/password {2}\S+/g).length, 1, 'the owner is made once, at the first start');
  });

test('the service file and the proxy examples are understood by those that read them', (context) => {
  const has = (name) => { try { output('which', name); return true; } catch { return false; } };
  if (!has('systemd-analyze') && !has('nginx') && !has('caddy')) return context.skip('none of them is installed here');
  if (has('systemd-analyze')) {
    const folder = scratch();
    const text = readFileSync(join(root, 'scripts/operate/topup.service'), 'utf8').replace('/usr/bin/topup', '/bin/true');
    execFileSync('tee', [join(folder, 'topup.service')], { input: text, stdio: ['pipe', 'ignore', 'inherit'] });
    output('systemd-analyze', 'verify', '--man=no', join(folder, 'topup.service'));
  }
  if (has('caddy')) output('caddy', 'validate', '--adapter', 'caddyfile', '--config', join(root, 'scripts/operate/Caddyfile'));
});
