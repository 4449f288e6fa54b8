// Which form of a suite was asked for: --quick only proves that it works and is never recorded; --long takes minutes more.
export const isQuick = process.argv.includes('--quick');
export const isLong = process.argv.includes('--long');

/** The number after `--name`, or `preset`. */
export function option(name, preset) {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? preset : Number(process.argv[at + 1]);
}
