// Runs a task again and again while the page is visible and the component lives; never two at once.
import { onBeforeUnmount, onMounted } from 'vue';

export function usePoll(task: () => Promise<void>, everyMs: number): void {
  let timer: number | undefined;
  let alive = true;

  function plan(): void {
    window.clearTimeout(timer);
    if (alive && !document.hidden) timer = window.setTimeout(run, everyMs);
  }
  async function run(): Promise<void> {
    try {
      await task();
    } finally {
      plan();
    }
  }

  onMounted(() => {
    document.addEventListener('visibilitychange', plan);
    plan();
  });
  onBeforeUnmount(() => {
    alive = false;
    window.clearTimeout(timer);
    document.removeEventListener('visibilitychange', plan);
  });
}
