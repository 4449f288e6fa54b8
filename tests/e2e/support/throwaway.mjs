// A copy of this machine that is written to and thrown away: an overlay over its root, in a mount and process space of its
// own. What a command installs, makes or starts there is gone with it. Needs root.
import { spawn } from 'node:child_process';

const enter = `
set -eu
mount --make-rprivate /
mount -t tmpfs -o mode=0755 tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
mount -t proc proc "$1/root/proc"
mount --bind /dev "$1/root/dev"
mount -t tmpfs tmpfs "$1/root/run"
merged=$1/root
shift
for file in "$@"; do cp "$file" "$merged/run/"; done
exec chroot "$merged" /bin/bash -eu -s
`;

/** Runs a script there, with \`files\` in its /run. Resolves with {code, out}. */
export function inThrowaway(folder, files, script) {
  const child = spawn('unshare', ['--mount', '--pid', '--fork', '--kill-child', 'bash', '-c', enter, 'enter', folder, ...files],
    { stdio: ['pipe', 'pipe', 'pipe'] });
  let out = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => { out += bytes; });
  child.stdin.end(script);
  return new Promise((done) => child.once('close', (code) => done({ code, out })));
}

export async function canThrowAway(folder) {
  return process.getuid() === 0 && (await inThrowaway(folder, [], 'true')).code === 0;
}
