// A real <input type="tel">, because only it lets the caret stay where the buyer put it while digits are grouped. H5 only.
import { defineComponent, h, onMounted, ref, type PropType } from 'vue';
import { focusWhenSeen } from '@/opening';

function digitsBefore(text: string, caret: number): number {
  return text.slice(0, caret).replace(/\D/g, '').length;
}

function caretAfter(text: string, digits: number): number {
  let seen = 0;
  for (let at = 0; at < text.length; ++at) {
    if (seen === digits) return at;
    if (/\d/.test(text[at] as string)) seen += 1;
  }
  return text.length;
}

export default defineComponent({
  name: 'NativePhone',
  props: {
    value: { type: String, required: true },
    label: { type: String, required: true },
    hint: { type: String, required: true },
    invalid: Boolean,
    /** Gives the text the field shall show for what was typed. */
    shape: { type: Function as PropType<(typed: string) => string>, required: true },
  },
  emits: { typed: (_text: string) => true, submit: () => true },
  setup(props, { emit }) {
    const field = ref<HTMLInputElement | null>(null);

    function onInput(event: Event): void {
      const input = event.target as HTMLInputElement;
      if ((event as InputEvent).isComposing) return;
      const typed = input.value;
      const caret = input.selectionStart ?? typed.length;
      const atEnd = caret === typed.length;
      const shaped = props.shape(typed);
      if (shaped !== typed) {
        input.value = shaped;
        const place = atEnd ? shaped.length : caretAfter(shaped, digitsBefore(typed, caret));
        input.setSelectionRange(place, place);
      }
      emit('typed', shaped);
    }

    onMounted(() => focusWhenSeen(() => field.value));

    return () =>
      h('input', {
        ref: field,
        class: 'native-phone',
        type: 'tel',
        inputmode: 'tel',
        autocomplete: 'tel-national',
        enterkeyhint: 'done',
        maxlength: 64,
        'data-test': 'phone-input',
        'aria-label': props.label,
        'aria-invalid': props.invalid,
        'aria-describedby': 'phone-verdict',
        placeholder: props.hint,
        value: props.value,
        onInput,
        onCompositionend: onInput,
        onKeydown: (event: KeyboardEvent) => {
          if (event.key === 'Enter') emit('submit');
        },
      });
  },
});
