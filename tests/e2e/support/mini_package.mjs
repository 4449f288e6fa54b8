// The package as an operator gets it: made out of the build by the shop's own command.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run, scratch } from './commands.mjs';

export const built = process.env.TOPUP_MINI
  ?? join(dirname(fileURLToPath(import.meta.url)), '../../../web/client/dist/build/mp-weixin');
export const appid = 'wx0123456789abcdef';

export async function miniPackage(origin) {
  if (!existsSync(join(built, 'app.json'))) throw new Error(`${built} has not been built: npm run build:mp-weixin`);
  const folder = join(scratch(), 'package');
  const { code, err } = await run(['mini-program', '--files', built, '--out', folder, '--appid', appid, '--origin', origin]);
  if (code !== 0) throw new Error(err);
  return folder;
}
