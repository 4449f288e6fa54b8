/** Whether `mine` comes before `lowest`, both like "0.2.10". What is not such a text asks for nothing. */
export function isOlder(mine: string, lowest: string): boolean {
  const kForm = /^\d{1,6}(\.\d{1,6}){0,3}$/;
  if (!kForm.test(mine) || !kForm.test(lowest)) return false;
  const [own, least] = [mine, lowest].map((text) => text.split('.').map(Number)) as [number[], number[]];
  for (let i = 0; i < Math.max(own.length, least.length); ++i) {
    const difference = (own[i] ?? 0) - (least[i] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}
