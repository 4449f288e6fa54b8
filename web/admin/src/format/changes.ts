// What a record of the audit trail says that changed: two flat objects as JSON, or two plain texts.
export interface FieldChange {
  field: string; // "" for a plain text
  before: string | null; // null: it was not there
  after: string | null;
}

function objectIn(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}
const shown = (value: unknown): string | null =>
  value === undefined ? null : typeof value === 'string' ? value : JSON.stringify(value);

export function changesOf(before: string, after: string): FieldChange[] {
  if (before === '' && after === '') return [];
  const was = before === '' ? {} : objectIn(before);
  const is = after === '' ? {} : objectIn(after);
  if (was === null || is === null)
    return [{ field: '', before: before === '' ? null : before, after: after === '' ? null : after }];
  const fields = [...new Set([...Object.keys(was), ...Object.keys(is)])].sort();
  return fields.map((field) => ({ field, before: shown(was[field]), after: shown(is[field]) }));
}
