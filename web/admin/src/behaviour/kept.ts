// What one person keeps on this device: columns, views. Without storage it lasts as long as the page.
import { ref, watch, type Ref } from 'vue';

export function useKept<T>(name: string, person: string, first: T, fits: (value: unknown) => value is T): Ref<T> {
  const key = `topup.${name}.${person}`;
  const value = ref(first) as Ref<T>;
  try {
    const text = localStorage.getItem(key);
    const read: unknown = text === null ? null : JSON.parse(text);
    if (fits(read)) value.value = read;
  } catch {
    value.value = first;
  }
  watch(
    value,
    (now) => {
      try {
        localStorage.setItem(key, JSON.stringify(now));
      } catch {
        return;
      }
    },
    { deep: true },
  );
  return value;
}

export const isTextList = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((one) => typeof one === 'string');
