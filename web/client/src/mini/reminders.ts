// "Tell me when it has arrived": one question about at most three templates, at a tap, and the answer goes to the shop.
import { answerSubscriptions, listSubscriptions } from '@api/mini_program';
import { send } from '@/transport';
import { asked, host } from './host';

const kMaxTemplates = 3; // WeChat refuses the whole question beyond that
const kAnswers = ['accept', 'reject', 'ban', 'filter'];

/** The templates' ids; none when the shop sends none or does not answer. */
export async function reminderTemplates(): Promise<string[]> {
  try {
    const { templates } = await listSubscriptions(send);
    return [...new Set(templates.map((one) => one.template_id))].slice(0, kMaxTemplates);
  } catch {
    return [];
  }
}

/** Must be called by a tap itself, with nothing awaited before. Gives how many the buyer accepted. */
export async function askForReminders(templates: string[]): Promise<number> {
  const answered = asked<Record<string, string>>((told) => host.requestSubscribeMessage({ tmplIds: templates, ...told }));
  try {
    const said = await answered;
    const results: Record<string, string> = {};
    for (const id of templates) if (kAnswers.includes(said[id] ?? '')) results[id] = said[id] as string;
    if (Object.keys(results).length === 0) return 0;
    return (await answerSubscriptions(send, results)).accepted;
  } catch {
    return 0; // switched off in WeChat, or not asked: the order's page tells it anyway
  }
}
